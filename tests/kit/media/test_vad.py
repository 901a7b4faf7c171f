"""Speech is found where it is, whatever the blocks, and nowhere else."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono, VadParams, speech_spans
from etbgm_kit.types import Span


def read(path: Path) -> Mono:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE_HZ).astype(np.float32)


def test_silence_and_noise_are_not_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, 10 * SAMPLE_RATE_HZ).astype(np.float32)
    assert speech_spans([noise]) == []
    assert speech_spans([np.zeros(SAMPLE_RATE_HZ, np.float32)]) == []
    assert speech_spans([]) == []


def test_a_room_is_not_speech(test_data: Path) -> None:
    assert speech_spans([read(test_data / "noise/pv_room_tone.wav")]) == []


@pytest.mark.parametrize(
    "name", ["vlog_o1_lj_music", "vlog_o2_vertical_noise", "vlog_o3_multi_vfr_loudmusic"]
)
def test_real_phrases_are_found(test_data: Path, name: str) -> None:
    """At least 90 % of the spoken time is found, and at most 5 % of the pauses are taken for speech."""
    samples = read(test_data / f"vlog/{name}.speech.flac")
    truth = json.loads((test_data / f"vlog/{name}.json").read_text())["phrases"]
    spoken = mask([Span(phrase["speech_start"], phrase["speech_end"]) for phrase in truth], len(samples))
    found = mask(speech_spans([samples]), len(samples))
    assert (spoken & found).sum() >= 0.9 * spoken.sum()
    wide = mask([Span(p["speech_start"] - 0.4, p["speech_end"] + 0.4) for p in truth], len(samples))
    assert (found & ~wide).sum() <= 0.05 * (~wide).sum()


def test_blocks_of_any_size_give_the_same(test_data: Path) -> None:
    samples = read(test_data / "speech/en/jfk.flac")
    whole = speech_spans([samples])
    rng = np.random.default_rng(2)
    cuts = np.sort(rng.integers(0, len(samples), 200))
    assert len(whole) > 1
    assert speech_spans(np.split(samples, cuts)) == whole


def test_long_speech_is_cut_without_loss(test_data: Path) -> None:
    samples = read(test_data / "speech/en/LJ001-0003.wav")
    free = speech_spans([samples], VadParams(min_silence_s=0.5))
    cut = speech_spans([samples], VadParams(min_silence_s=0.5, max_speech_s=2.0))
    assert max(span.duration_s for span in free) > 4
    assert max(span.duration_s for span in cut) < 2.1
    assert min(span.duration_s for span in cut) > 0.25
    assert (mask(cut, len(samples)) == mask(free, len(samples))).all()


def mask(spans: list[Span], length: int) -> np.ndarray:
    """True for each sample inside a span."""
    inside = np.zeros(length, bool)
    for span in spans:
        inside[round(span.start_s * SAMPLE_RATE_HZ) : round(span.end_s * SAMPLE_RATE_HZ)] = True
    return inside
