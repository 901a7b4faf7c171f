"""Speech that can be checked word by word."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from etbgm_kit.media.vad import SAMPLE_RATE_HZ
from etbgm_kit.types import Span
from etbgm_stt.speech import Speech

SENTENCES = (
    "On Monday I took the train to the office in the city.",
    "We won the prize, this is the best day of my life!",
    "In the morning we found that our old dog had died.",
)
"""flite's voice slt says them so that Whisper understands."""

PAUSE_S = 1.2
"""Before, between and after the sentences."""


def piece(start_s: float, end_s: float) -> Speech:
    """A piece of speech whose samples are all 1."""
    return Speech(Span(start_s, end_s), np.ones(round((end_s - start_s) * SAMPLE_RATE_HZ), np.float32))


@pytest.fixture(scope="session")
def narration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SENTENCES as a stereo FLAC file at 44.1 kHz."""
    flite = shutil.which("flite")
    if not flite:
        pytest.skip("the program flite, which speaks the sentences, is not installed")
    folder = tmp_path_factory.mktemp("narration")
    pause = np.zeros(round(PAUSE_S * 44100), np.float32)
    pieces = [pause]
    for number, sentence in enumerate(SENTENCES):
        wav = folder / f"{number}.wav"
        subprocess.run([flite, "-voice", "slt", "-t", sentence, "-o", wav], check=True, timeout=30)
        samples, rate = soundfile.read(wav, dtype="float32")
        pieces += [soxr.resample(samples, rate, 44100), pause]
    path = folder / "narration.flac"
    mono = np.concatenate(pieces)
    soundfile.write(path, np.stack([mono, mono], axis=1), 44100)
    return path
