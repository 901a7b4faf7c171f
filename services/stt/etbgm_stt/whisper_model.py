"""Loads a folder with a Whisper model for CTranslate2 into faster-whisper."""

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.models.folders import BrokenModel, loading, require

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""Required files; without tokenizer.json, faster-whisper would ask the Hugging Face hub for one."""

VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
"""One of these files is required."""

PREPROCESSOR = "preprocessor_config.json"

MELS = 80
"""Mel bands of a model without PREPROCESSOR; large-v3 has 128."""

WARM_UP_FRAMES = 100
"""A second of sound. A whole window of 30 s would take 15 times as long and prove nothing more."""


@dataclass(frozen=True)
class WhisperParams:
    """The model and its computing parameters.

    `name` is that of the catalogue or the folder; `device` is "cpu" or "cuda"; `compute_type`
    is one of CTranslate2's; `beam_size` is the number of alternatives that are followed;
    `batch_windows` windows are recognised together; `workers` calls run at once with
    `threads` threads each.
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
        """Whether the model translates; turbo models were not trained to (README of openai/whisper)."""
        return "turbo" not in self.name


def load_whisper(params: WhisperParams) -> "WhisperModel":
    """Loads the model and runs its encoder and decoder once, on a second of silence.

    Raises:
        BrokenModel: a file is missing, truncated, altered or does not match the others.
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
        _encode_once(model)
        silence = np.zeros((model.model.n_mels, WARM_UP_FRAMES), np.float32)
        start = model.hf_tokenizer.token_to_id("<|startoftranscript|>")
        model.model.generate(model.encode(silence), [[start]], beam_size=1, max_length=2)
    return model


def languages_of(model: "WhisperModel") -> list[str]:
    """Returns Whisper's codes of the languages that the model supports; older models lack Cantonese."""
    if not model.model.is_multilingual:
        return ["en"]
    return [code for code in model.supported_languages if model.hf_tokenizer.token_to_id(f"<|{code}|>")]


def hash_of(folder: Path) -> str:
    """Returns the first 12 digits of the SHA-256 over all files of the model."""
    digest = hashlib.sha256()
    optional = [PREPROCESSOR] if (folder / PREPROCESSOR).is_file() else []
    for name in (*NEEDED, _vocabulary(folder), *optional):
        digest.update(bytes.fromhex(sha256_of(folder / name)))
    return digest.hexdigest()[:12]


def _vocabulary(folder: Path) -> str:
    return next((name for name in VOCABULARIES if (folder / name).is_file()), VOCABULARIES[0])


def _encode_once(model: "WhisperModel") -> None:
    """Lets calls in one thread share the result of the encoder, which costs most, for the same sound.

    A window's language is detected, then the window is recognised and perhaps translated.
    """
    encode, last = model.encode, threading.local()

    def encode_once(features: NDArray[np.float32]) -> object:
        sound = features.ravel()
        if not np.array_equal(sound, getattr(last, "sound", ())):
            last.sound, last.encoded = sound.copy(), encode(features)
        return last.encoded

    model.encode = encode_once


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
