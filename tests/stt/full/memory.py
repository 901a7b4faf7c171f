"""Memory of faster-whisper on long sound.

usage: python -m tests.stt.full.memory MINUTES   (prints one line of the README's table)

The tiny model's words are repeated until the sound is long enough, block by block, so
that it is never held whole.
"""

import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono
from etbgm_stt.types import Recognised
from etbgm_stt.whisper_engine import WhisperRecogniser
from etbgm_stt.whisper_model import WhisperParams

from .spoken import SAID_AS, join, say

TINY = Path(__file__).with_name("tiny-whisper")


def talk(duration_s: float) -> Iterator[Mono]:
    """Six words and a pause, again and again."""
    words = [(word, say("en", word)) for word in SAID_AS["en"]]
    sentence = join(words, [1.0, 0.3, 0.3, 0.3, 0.3, 0.3, 0.7]).samples
    sentences = itertools.repeat(sentence, round(duration_s * SAMPLE_RATE_HZ / len(sentence)))
    for samples in sentences:
        yield from np.array_split(samples, 2)


def peak_mb() -> float:
    """The most that this process has held."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """One line of figures."""
    minutes = float(sys.argv[1])
    recogniser = WhisperRecogniser(WhisperParams("tiny-whisper", TINY))
    recogniser.load()
    loaded_mb, begun_s = peak_mb(), time.process_time()
    recognised = recogniser.recognise(talk(minutes * 60), None, frozenset())
    words = sum(
        len(item.segment.words) for item in recognised if isinstance(item, Recognised) and item.segment
    )
    cpu_s = time.process_time() - begun_s
    memory = f"{loaded_mb:.0f} MB loaded, {peak_mb():.0f} MB peak"
    sys.stdout.write(f"{minutes:g} min: {words} words, {memory}, {cpu_s:.0f} s CPU\n")


if __name__ == "__main__":
    main()
