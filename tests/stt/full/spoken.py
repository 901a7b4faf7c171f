"""Words that tiny-whisper knows, spoken by flite: German is written so that its English voices say it."""

import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono

VOICES = ("slt", "rms", "awb")

SAID_AS = {
    "en": {
        "bird": "bird", "children": "children", "water": "water",
        "evening": "evening", "window": "window", "flower": "flower",
    },
    "de": {
        "Vogel": "foegull", "Kinder": "kinduh", "Wasser": "vasser",
        "Abend": "ahbent", "Fenster": "fenster", "Blume": "bloomuh",
    },
}  # fmt: skip
"""For each language its words and how flite is told to say them."""

ENGLISH = dict(zip(SAID_AS["de"], SAID_AS["en"], strict=True))
"""What the German words mean."""

_QUIET = 0.02
"""Of the highest sample: what flite leaves before and after a word is below."""


@dataclass(frozen=True, eq=False)
class Spoken:
    """(samples,) float32 at 16 kHz and, for each word in it, text, start and end in seconds."""

    samples: Mono
    words: tuple[tuple[str, float, float], ...]


@cache
def say(language: str, word: str, voice: str = "slt", stretch: float = 1.0, pitch: float = 1.0) -> Mono:
    """(samples,) float32 at 16 kHz of nothing but the word; 1.0 are the voice's own length and pitch."""
    pitch_hz = {"slt": 170, "rms": 100, "awb": 120}[voice] * pitch
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "word.wav")
        prosody = ["--setf", f"duration_stretch={stretch}", "--setf", f"int_f0_target_mean={pitch_hz:.0f}"]
        command = ["flite", "-voice", voice, *prosody, "-t", SAID_AS[language][word], "-o", path]
        subprocess.run(command, check=True, timeout=30)
        samples, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE_HZ
    loud = np.flatnonzero(np.abs(samples) > _QUIET * np.abs(samples).max())
    trimmed: Mono = samples[loud[0] : loud[-1] + 1]
    return trimmed


def join(words: list[tuple[str, Mono]], pauses_s: list[float]) -> Spoken:
    """The words with a pause before each and one at the end."""
    parts, times, now = [], [], 0
    for (text, samples), pause_s in zip(words, pauses_s, strict=False):
        pause = round(pause_s * SAMPLE_RATE_HZ)
        parts += [np.zeros(pause, np.float32), samples]
        begin, now = now + pause, now + pause + len(samples)
        times.append((text, begin / SAMPLE_RATE_HZ, now / SAMPLE_RATE_HZ))
    parts.append(np.zeros(round(pauses_s[-1] * SAMPLE_RATE_HZ), np.float32))
    return Spoken(np.concatenate(parts), tuple(times))
