"""Converts a Whisper model for transformers to one for faster-whisper.

usage: python -m etbgm_stt.convert SOURCE FOLDER [--quantization int8]

SOURCE is a folder with safetensors, such as a snapshot of openai/whisper-small.
Needs the extra `convert`: torch and transformers.
"""

import argparse
import os
import sys
from pathlib import Path

from etbgm_kit.models.folders import BrokenModel, loading, require

NEEDED = ("config.json", "generation_config.json", "tokenizer.json", "preprocessor_config.json")
"""Required besides the weights; faster-whisper would ask the hub for a missing tokenizer.json."""

QUANTIZATIONS = ("int8", "int8_float16", "int8_float32", "float16", "bfloat16", "float32")
"""How the weights are stored; the engine may compute with another type."""


def convert(source: Path, folder: Path, quantization: str) -> None:
    """Writes the model to `folder`, which is replaced.

    Raises:
        BrokenModel: `source` is not a complete Whisper model.
    """
    require(source, NEEDED)
    if not any(source.glob("*.safetensors")):
        # Other formats are pickles, which can run any code.
        raise BrokenModel(source, "it has no *.safetensors")
    from ctranslate2.converters import TransformersConverter

    with loading(source):
        converter = TransformersConverter(
            str(source), copy_files=["tokenizer.json", "preprocessor_config.json"], low_cpu_mem_usage=True
        )
        converter.convert(str(folder), quantization=quantization, force=True)


def main() -> None:
    """Runs the command line; exits with a one-line message and code 1 if there is no model to convert."""
    parser = argparse.ArgumentParser(
        prog="python -m etbgm_stt.convert",
        description="Converts a Whisper model for transformers to one for faster-whisper.",
    )
    parser.add_argument("source", type=Path, help="folder of a Whisper model for transformers")
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument("--quantization", choices=QUANTIZATIONS, default="int8", help="default: int8")
    arguments = parser.parse_args()
    # transformers asks the hub for files missing in a folder unless this is set before its import.
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        convert(arguments.source, arguments.folder, arguments.quantization)
    except BrokenModel as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
