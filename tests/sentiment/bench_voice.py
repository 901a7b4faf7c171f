"""Measures what the voice tells and costs, on acted speech and on a narrator."""

import csv
import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from etbgm_kit.types import Span
from etbgm_sentiment.arousal import arousals
from etbgm_sentiment.voice import read_voices
from tests.ears import Figure

RAISED = {"anger", "joy"}
"""Emotions whose voice is raised; the others are neutral and sadness."""

PARTS_S = (60.0, 2.0, 1.0)
"""Lengths of the phrases: whole clips, and parts of them."""

NOISE_DB = -20.0
"""RMS of white noise relative to the speech."""

ROUNDS = 5
RATE_HZ = 48000
SPEECH_S = 120.0
PHRASE_S, PAUSE_S = 4.0, 1.0
"""The speech whose cost is measured: as the separator writes it, FLAC with pauses."""


@dataclass(frozen=True)
class Clip:
    """An acted sentence: (samples,) float32."""

    speaker: str
    emotion: str
    samples: np.ndarray
    rate_hz: int


def figures(test_data: Path) -> Iterator[Figure]:
    """Yields how well raised voices are told from others, and the cost."""
    clips = read_clips(test_data)
    for part_s in PARTS_S:
        what = "sentences" if part_s >= 60 else f"parts of {part_s:g} s"
        aim = ("≥", 0.9) if part_s >= 60 else None
        yield Figure(f"raised voices, {what}: AUC", auc(clips, part_s), aim)
        yield Figure(f"the same with noise at {NOISE_DB:g} dB", auc(clips, part_s, NOISE_DB))
    yield Figure("raised voices, one median for both speakers: AUC", auc(clips, 60.0, common=True))
    yield Figure("a narrator's sentences: SD of arousal", narrator_deviation(test_data))
    yield Figure("CPU s per s of voice", cpu_seconds(), ("≤", 0.01))


def read_clips(test_data: Path) -> list[Clip]:
    """The acted sentences."""
    folder = test_data / "speech/ko_emotional"
    with (folder / "labels.tsv").open(encoding="utf-8") as file:
        return [
            Clip(line["speaker"], line["emotion"], *soundfile.read(folder / line["file"], dtype="float32"))
            for line in csv.DictReader(file, delimiter="\t")
        ]


def auc(clips: Sequence[Clip], part_s: float, noise_db: float | None = None, common: bool = False) -> float:
    """Probability that a raised voice has more arousal than another one of the same speaker.

    Each speaker is one video, of phrases that last at most `part_s`; with `common`, both are in one.
    """
    won = []
    for video in [clips] if common else [[c for c in clips if c.speaker == who] for who in ("a", "k")]:
        heard = [(clip.emotion in RAISED, value) for clip, value in _listen(video, part_s, noise_db)]
        raised = [value for is_raised, value in heard if is_raised]
        others = [value for is_raised, value in heard if not is_raised]
        won += [(a > b) + 0.5 * (a == b) for a in raised for b in others]
    return float(np.mean(won))


def narrator_deviation(test_data: Path) -> float:
    """Standard deviation of the arousal of one narrator's sentences, which are all neutral."""
    paths = sorted((test_data / "speech/en").glob("LJ*.wav"))
    clips = [Clip("", "", *soundfile.read(path, dtype="float32")) for path in paths]
    return float(np.std([value for _, value in _listen(clips, 60.0, None)]))


def cpu_seconds() -> float:
    """CPU time per second of speech, the median of ROUNDS."""
    times = np.arange(0, SPEECH_S, PHRASE_S + PAUSE_S)
    spans = [Span(float(time_s), float(time_s) + PHRASE_S) for time_s in times]
    noise = np.random.default_rng(1).normal(0, 0.05, round(SPEECH_S * RATE_HZ)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.flac"
        soundfile.write(path, noise, RATE_HZ)
        spent_s = []
        for _ in range(ROUNDS):
            begin_s = time.process_time()
            arousals(read_voices(path, spans, lambda _: None))
            spent_s.append(time.process_time() - begin_s)
    return float(np.median(spent_s)) / (len(spans) * PHRASE_S)


def _listen(clips: Sequence[Clip], part_s: float, noise_db: float | None) -> list[tuple[Clip, float]]:
    """The arousal of each part of `clips` in which a voice is heard, as if they were one video."""
    rng = np.random.default_rng(1)
    spans, owners, sound, start_s = [], [], [], 0.0
    for clip in clips:
        samples = clip.samples
        if noise_db is not None:
            level = float(np.sqrt(np.square(samples).mean())) * 10 ** (noise_db / 20)
            samples = samples + rng.normal(0, level, len(samples)).astype(np.float32)
        length_s = len(samples) / clip.rate_hz
        edges_s = np.append(np.arange(0, length_s, part_s), length_s) + start_s
        spans += [Span(float(a), float(b)) for a, b in itertools.pairwise(edges_s)]
        owners += [clip] * (len(edges_s) - 1)
        sound.append(samples)
        start_s += length_s
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        soundfile.write(path, np.concatenate(sound), clips[0].rate_hz, "FLOAT")
        values = arousals(read_voices(path, spans, lambda _: None))
    return [(clip, value) for clip, value in zip(owners, values, strict=True) if value is not None]
