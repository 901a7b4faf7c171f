"""The small model that this folder's tests share, and what it hears."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from demucs.htdemucs import HTDemucs

from .tiny_demucs import RATE_HZ, Mono, save, train

LEARNED = (
    "The meeting was in the second room on the left.",
    "On Monday I took the train to the office in the city.",
    "My brother made a fire, and she gave him bread and butter.",
)
Speak = Callable[..., Mono]


@pytest.fixture(scope="session")
def speak(tmp_path_factory: pytest.TempPathFactory) -> Speak:
    """`speak(*sentences)`: flite's voice slt, mono at the model's rate, without pauses."""
    if not shutil.which("flite"):
        pytest.skip("flite is not installed")
    path = tmp_path_factory.mktemp("flite") / "s.wav"

    def say(*sentences: str) -> Mono:
        said = []
        for sentence in sentences:
            subprocess.run(["flite", "-voice", "slt", "-t", sentence, "-o", path], check=True, timeout=30)
            samples, rate_hz = soundfile.read(path, dtype="float32")
            said.append(soxr.resample(samples, rate_hz, RATE_HZ))
        return np.concatenate(said)

    return say


@pytest.fixture(scope="session")
def model(speak: Speak) -> HTDemucs:
    """Trained in seconds."""
    return train(speak(*LEARNED))


@pytest.fixture(scope="session")
def folder(model: HTDemucs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the model's checkpoint."""
    folder = tmp_path_factory.mktemp("tiny-demucs")
    save(model, folder)
    return folder
