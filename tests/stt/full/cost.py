"""What a window of 30 s costs on the CPU, with random weights of Whisper's real sizes.

usage: python -m tests.stt.full.cost FOLDER SIZE...   (tiny, base, small, medium; weights are put in FOLDER)
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from faster_whisper import WhisperModel
from transformers import WhisperConfig, WhisperForConditionalGeneration

from etbgm_stt.convert import convert

from .train_tiny_whisper import make_tokenizer, save

SIZES = {"tiny": (384, 4, 6), "base": (512, 6, 8), "small": (768, 12, 12), "medium": (1024, 24, 16)}
"""Width, layers and heads (Radford et al. 2022, table 1)."""

TOKENS = 90
"""Of 30 s of quick speech."""


def make(size: str, folder: Path) -> Path:
    """The model, converted to int8."""
    width, layers, heads = SIZES[size]
    tokenizer = make_tokenizer()
    end = tokenizer.token_to_id("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=51865, d_model=width, encoder_layers=layers, decoder_layers=layers,
        encoder_attention_heads=heads, decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width, decoder_ffn_dim=4 * width,
        pad_token_id=end, bos_token_id=end, eos_token_id=end, decoder_start_token_id=end + 1,
    )  # fmt: skip
    torch.manual_seed(0)
    source = folder / f"{size}-transformers"
    save(WhisperForConditionalGeneration(config), tokenizer, source)
    convert(source, folder / size, "int8")
    return folder / size


def cpu_s(folder: Path) -> float:
    """CPU seconds to hear a window, write TOKENS with a beam of 5 and find their times, the second time."""
    whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)
    names = ("startoftranscript", "en", "transcribe", "notimestamps", "endoftext")
    *ids, untimed, end = (whisper.hf_tokenizer.token_to_id(f"<|{name}|>") for name in names)
    noise = np.random.default_rng(0).normal(0, 0.05, 30 * 16000).astype(np.float32)
    for _ in range(2):
        begun_s = time.process_time()
        recognised = whisper.encode(whisper.feature_extractor(noise)[..., :3000])
        prompt = [[*ids, untimed]]
        whisper.model.generate(
            recognised,
            prompt,
            beam_size=5,
            max_length=4 + TOKENS,
            suppress_tokens=[end],
            suppress_blank=False,
        )
        whisper.model.align(recognised, ids, [list(range(300, 300 + TOKENS))], 3000)
    return time.process_time() - begun_s


def main() -> None:
    """One line for each size."""
    folder = Path(sys.argv[1])
    for size in sys.argv[2:]:
        seconds = cpu_s(make(size, folder))
        sys.stdout.write(f"{size}: {seconds:.1f} s CPU for 30 s, {seconds / 30:.3f} s for 1 s\n")


if __name__ == "__main__":
    main()
