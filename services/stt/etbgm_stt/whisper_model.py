"""A folder with a Whisper model for CTranslate2, loaded by faster-whisper."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.media.vad import SAMPLE_RATE_HZ
from etbgm_kit.models.folders import BrokenModel, loading, require

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""Without tokenizer.json, faster-whisper would ask the Hugging Face hub for one."""

VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
"""One of them must be there."""

PREPROCESSOR = "preprocessor_config.json"

MELS = 80
"""What a model without PREPROCESSOR hears; large-v3 hears 128."""


@dataclass(frozen=True)
class WhisperParams:
    """Which model, and how it computes.

    `name` is the catalogue's or the folder's; `device` "cpu" or "cuda"; `compute_type`
    one of CTranslate2's; `batch_windows` are recognised together; a beam is as many
    alternatives as are followed; `workers` calls compute at once, with `threads` each.
    """

    name: str
    folder: Path
    device: str = "cpu"
    compute_type: str = "int8"
    beam_size: int = 5
    batch_windows: int = 1
    threads: int = 1
    workers: int = 1

    @property
    def translates(self) -> bool:
        """Turbo models were not taught to (README of openai/whisper)."""
        return "turbo" not in self.name


def load_whisper(params: WhisperParams) -> "WhisperModel":
    """Loads the model and lets it hear a second of silence.

    Raises:
        BrokenModel: a file is missing, cut off, altered or does not fit the others.
    """
    from faster_whisper import WhisperModel

    require(params.folder, NEEDED)
    require(params.folder, [_vocabulary(params.folder)])
    with loading(params.folder):
        model = WhisperModel(
            str(params.folder),
            device=params.device,
            compute_type=params.compute_type,
            cpu_threads=params.threads,
            num_workers=params.workers,
        )
        _check(model, params.folder)
        silence = np.zeros(SAMPLE_RATE_HZ, np.float32)
        list(model.transcribe(silence, language="en", beam_size=1, max_new_tokens=1, temperature=0.0)[0])
    return model


def languages_of(model: "WhisperModel") -> list[str]:
    """Whisper's codes of those that the model knows; of its list the older ones lack Cantonese."""
    if not model.model.is_multilingual:
        return ["en"]
    return [code for code in model.supported_languages if model.hf_tokenizer.token_to_id(f"<|{code}|>")]


def hash_of(folder: Path) -> str:
    """The first digits of the SHA-256 over all files that the model is read from."""
    digest = hashlib.sha256()
    optional = [PREPROCESSOR] if (folder / PREPROCESSOR).is_file() else []
    for name in (*NEEDED, _vocabulary(folder), *optional):
        digest.update(bytes.fromhex(sha256_of(folder / name)))
    return digest.hexdigest()[:12]


def _vocabulary(folder: Path) -> str:
    return next((name for name in VOCABULARIES if (folder / name).is_file()), VOCABULARIES[0])


def _check(model: "WhisperModel", folder: Path) -> None:
    mels = len(model.feature_extractor.mel_filters)
    if model.model.n_mels != mels:
        raise BrokenModel(
            folder,
            f"it hears {model.model.n_mels} mels and {PREPROCESSOR}, {MELS} without, says {mels}",
        )
    missing = [
        token
        for token in ("<|startoftranscript|>", "<|endoftext|>", "<|notimestamps|>")
        if model.hf_tokenizer.token_to_id(token) is None
    ]
    if missing:
        raise BrokenModel(folder, f"tokenizer.json has no {', '.join(missing)}: it is not Whisper's")
