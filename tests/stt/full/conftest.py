"""The tiny Whisper that lies beside this file, and what flite says to it."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono
from etbgm_stt.whisper_engine import WhisperRecogniser
from etbgm_stt.whisper_model import WhisperParams

from .spoken import Spoken, join, say

TINY = Path(__file__).with_name("tiny-whisper")

PAUSE_S = 0.3
"""Between the words of a sentence."""

REST_S = 2.5
"""Around sentences; longer than what a window of Whisper bridges."""


@pytest.fixture(scope="session")
def whisper() -> Iterator[WhisperRecogniser]:
    """The real engine with the tiny model.

    In float32: the kernels for int8 differ between CPUs, and move the ends of words by 0.2 s.
    """
    recogniser = WhisperRecogniser(WhisperParams("tiny-whisper", TINY, compute_type="float32"))
    recogniser.load()
    yield recogniser
    recogniser.close()


Speak = Callable[..., Spoken]


@pytest.fixture(scope="session")
def speak() -> Speak:
    """Speaks sentences of words, each after REST_S; in no rendering that the model learnt from."""
    if not shutil.which("flite"):
        pytest.skip("the program flite, which speaks the words, is not installed")

    def spoken(language: str, *sentences: str, voice: str = "slt") -> Spoken:
        words, pauses_s = [], []
        for sentence in sentences:
            for number, word in enumerate(sentence.split()):
                words.append((word, say(language, word, voice, stretch=1.02, pitch=1.02)))
                pauses_s.append(PAUSE_S if number else REST_S)
        return join(words, [*pauses_s, REST_S])

    return spoken


def second_blocks(samples: Mono) -> Sequence[Mono]:
    """Blocks of a second."""
    return np.array_split(samples, max(1, len(samples) // SAMPLE_RATE_HZ))
