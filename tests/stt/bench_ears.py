"""Measures how well speech is recognised, on clips and on vlogs with known phrases.

Word error rates are computed by jiwer after OpenAI's normalisation of English (package whisper-normalizer),
which writes numbers in one way.
"""

import csv
import json
import os
import re
import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import jiwer
import numpy as np
import soxr
from whisper_normalizer.english import EnglishTextNormalizer

from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono
from etbgm_kit.serving.settings import default_models_dir
from etbgm_kit.types import Segment
from etbgm_stt.audio import open_audio
from etbgm_stt.choice import DEFAULT
from etbgm_stt.whisper_engine import WhisperRecogniser
from etbgm_stt.whisper_model import WhisperParams
from tests.ears import Figure
from tests.mixer.bench_ears import RATE_HZ, Separated

WER_AIMS = {"vlog_o1_lj_music": 0.07, "vlog_o2_vertical_noise": 0.07, "vlog_o3_multi_vfr_loudmusic": 0.28}

LANGUAGES = ("de", "es", "fr", "it", "ko", "zh")


def load() -> WhisperRecogniser:
    """The default model as the server runs it."""
    folder = Path(os.environ.get("ETBGM_MODELS_DIR") or default_models_dir()) / DEFAULT
    recogniser = WhisperRecogniser(WhisperParams(DEFAULT, folder, threads=2))
    recogniser.load()
    return recogniser


def figures(data: Path, separations: Iterable[Separated]) -> Iterator[Figure]:
    """Yields all figures: error rates, shares, seconds, and processor seconds per second of sound."""
    recogniser = load()
    clips = [(path, text) for path, text in labelled(data, "speech/en/")]
    yield Figure(f"WER of {len(clips)} English clips", _error_rate(recogniser, clips), ("≤", 0.10))
    for language in LANGUAGES:
        found = [
            _spoken(recogniser, _sound(path))[1] == language
            for path, _ in labelled(data, f"speech/{language}/")
        ]
        yield Figure(f"share of clips recognised as {language}", statistics.mean(found), ("≥", 1))
    for separated in separations:
        sound = soxr.resample(separated.speech.astype(np.float32), RATE_HZ, SAMPLE_RATE_HZ)
        yield from _vlog(recogniser, separated.facts, sound)


def labelled(data: Path, below: str) -> Iterator[tuple[Path, str]]:
    """Each clip whose path begins with `below` and what is said in it, without bracketed remarks."""
    with (data / "MANIFEST.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["path"].startswith(below) and row["transcript_or_label"]:
                yield data / row["path"], re.sub(r"\[.*?\]", "", row["transcript_or_label"])


def _error_rate(recogniser: WhisperRecogniser, clips: Iterable[tuple[Path, str]]) -> float:
    normal = EnglishTextNormalizer()
    pairs = [
        (normal(text), normal(_text(_spoken(recogniser, _sound(path), "en")[0]))) for path, text in clips
    ]
    said, heard = zip(*pairs, strict=True)
    return float(jiwer.wer(list(said), list(heard)))


def _vlog(recogniser: WhisperRecogniser, facts: Path, sound: Mono) -> Iterator[Figure]:
    """The figures of one vlog's speech stem."""
    truth = json.loads(facts.read_text())
    begun_s = time.process_time()
    segments, _ = _spoken(recogniser, sound)
    cpu_s = time.process_time() - begun_s
    normal = EnglishTextNormalizer()
    said = normal(" ".join(phrase["text"] for phrase in truth["phrases"] if phrase["lang"] == "en"))
    wer = float(jiwer.wer(said, normal(_text(segments))))
    yield Figure(f"{facts.stem}: WER", wer, ("≤", WER_AIMS.get(facts.stem, 0.28)))
    words = [word.span for segment in segments for word in segment.words]
    for edge in ("start", "end"):
        times_s = np.array([getattr(span, f"{edge}_s") for span in words])
        errors_s = [np.abs(times_s - phrase[f"speech_{edge}"]).min() for phrase in truth["phrases"]]
        yield Figure(
            f"{facts.stem}: median error of phrases' {edge}, s", float(np.median(errors_s)), ("≤", 0.2)
        )
    yield Figure(f"{facts.stem}: CPU s per s of recognition", cpu_s / (len(sound) / SAMPLE_RATE_HZ))


def _spoken(
    recogniser: WhisperRecogniser, sound: Mono, language: str | None = None
) -> tuple[list[Segment], str]:
    """The segments and the language of the last one."""
    segments, found = [], ""
    for item in recogniser.recognise(
        np.array_split(sound, max(1, len(sound) // 80000)), language, lambda _: False
    ):
        segments += item.segments
        found = item.language.tag if item.segments else found
    return segments, found


def _text(segments: Iterable[Segment]) -> str:
    return " ".join(segment.text for segment in segments)


def _sound(path: Path) -> Mono:
    with open_audio(path) as audio:
        return np.concatenate(list(audio.blocks()))
