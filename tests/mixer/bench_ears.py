"""Measures how well speech is separated on vlogs with known stems, as ears would judge it.

usage: ETBGM_TEST_DATA=FOLDER python -m tests.mixer.bench_ears

Prints a row per vlog: SI-SDR of the speech in the phrases (Le Roux et al., "SDR - half-baked or well
done?", ICASSP 2019) before and after, how far the background is down in the pauses, DNSMOS P.835 of the
original and of the speech stem (Reddy et al., ICASSP 2022; 1 to 5), and processor time. DNSMOS comes with
the package speechmos (MIT), which only this module uses.
"""

import itertools
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.types import Artifact
from etbgm_mixer.deepfilter_engine import DeepFilterSeparator
from etbgm_mixer.probe import Limits
from etbgm_mixer.service import MixerService

Signal = NDArray[np.float64]
RATE_HZ = 48000
MOS_RATE_HZ = 16000
MARGIN_S = 0.4
"""Kept away from the edges of speech when pauses are measured: reverberation and ramps."""

LIMITS = Limits(1 << 33, 3600, 1 << 28, 32, 60)


@dataclass(frozen=True)
class Row:
    """The figures of one vlog. The pauses include the time before the first and after the last phrase."""

    vlog: str
    sisdr_before_db: float
    sisdr_db: float
    pauses_down_db: float
    worst_pause_down_db: float
    ovrl_before: float
    ovrl: float
    sig: float
    cpu_s_per_s: float


def rows(data: Path) -> list[Row]:
    """Separates each vlog in `data`/vlog with the default separator, through the service."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Scratch(Path(name) / "work")
        store = ArtifactStore(f"file://{name}/store", scratch)
        service = MixerService(store, scratch, LIMITS, 600.0, lambda: (DeepFilterSeparator(), ()))
        service.load()
        found = []
        for facts in sorted((data / "vlog").glob("*.json")):
            truth = json.loads(facts.read_text())
            # The store may move what it is given, so it gets a copy.
            video = Path(shutil.copyfile(facts.with_name(truth["file"]), Path(name) / truth["file"]))
            found.append(_row(service, store, facts, store.put(video, "video/any")))
        return found


def _row(service: MixerService, store: ArtifactStore, facts: Path, video: Artifact) -> Row:
    truth = json.loads(facts.read_text())
    audio = service.extract(video, lambda _: None).audio
    assert audio is not None
    begun_s = time.process_time()
    separated = service.separate(audio, lambda _: None)
    cpu_s = time.process_time() - begun_s
    original, speech = _read(store, audio), _read(store, separated.speech)
    known = [_fitted(facts.with_name(truth[key]), len(speech)) for key in ("speech_stem", "background_stem")]
    phrases = [(phrase["speech_start"], phrase["speech_end"]) for phrase in truth["phrases"]]
    pauses = pauses_between(phrases, len(speech) / RATE_HZ)
    before, (ovrl, sig) = dnsmos(original), dnsmos(speech)
    down_db = [
        background_db - level_db(within(speech, [pause]))
        for pause in pauses
        # The background itself may pause.
        if (background_db := level_db(within(known[1], [pause]))) > -60
    ]
    return Row(
        facts.stem,
        si_sdr_db(within(original, phrases), within(known[0], phrases)),
        si_sdr_db(within(speech, phrases), within(known[0], phrases)),
        level_db(within(known[1], pauses)) - level_db(within(speech, pauses)),
        min(down_db),
        before[0],
        ovrl,
        sig,
        cpu_s / (len(speech) / RATE_HZ),
    )


def pauses_between(phrases: list[tuple[float, float]], duration_s: float) -> list[tuple[float, float]]:
    """Returns the pauses around the phrases, (start, end) in seconds, without their margins."""
    edges = [(0.0, phrases[0][0]), *((a[1], b[0]) for a, b in itertools.pairwise(phrases))]
    edges.append((phrases[-1][1], duration_s))
    return [(a + MARGIN_S, b - MARGIN_S) for a, b in edges if b - a > 2 * MARGIN_S + 0.2]


def si_sdr_db(found: Signal, truth: Signal) -> float:
    """Scale-invariant signal-to-distortion ratio of (samples,) in dB."""
    target = (found @ truth) / (truth @ truth) * truth
    error = found - target
    return float(10 * np.log10((target @ target) / (error @ error)))


def dnsmos(sound: Signal) -> tuple[float, float]:
    """DNSMOS P.835 OVRL and SIG, each in [1, 5], the mean over windows of 9 s, one every second."""
    from speechmos import dnsmos as network

    resampled = np.clip(soxr.resample(sound, RATE_HZ, MOS_RATE_HZ), -1, 1).astype(np.float32)
    found = network.run(resampled, MOS_RATE_HZ)
    return float(found["ovrl_mos"]), float(found["sig_mos"])


def within(sound: Signal, spans: list[tuple[float, float]]) -> Signal:
    """The parts of (samples,) inside the spans, one after the other."""
    return np.concatenate([sound[round(a * RATE_HZ) : round(b * RATE_HZ)] for a, b in spans])


def level_db(sound: Signal) -> float:
    """RMS level in dB full scale; -200 for silence."""
    return float(10 * np.log10(np.mean(sound**2) + 1e-20))


def _read(store: ArtifactStore, artifact: Artifact) -> Signal:
    with store.borrow(artifact, "audio") as path:
        return _fitted(path, int(soundfile.info(path).frames))


def _fitted(path: Path, length: int) -> Signal:
    """The mono mix of a file, cut or padded to (length,)."""
    sound = soundfile.read(path, dtype="float64", always_2d=True)[0].mean(axis=1)[:length]
    return np.pad(sound, (0, length - len(sound)))


def main() -> int:
    """Prints a table; returns the exit status."""
    data = os.environ.get("ETBGM_TEST_DATA")
    if not data:
        sys.stderr.write("ETBGM_TEST_DATA must name a folder with vlogs\n")
        return 2
    names = [field.name for field in fields(Row)]
    sys.stdout.write(" | ".join(names) + "\n")
    for row in rows(Path(data)):
        values = [getattr(row, name) for name in names]
        sys.stdout.write(" | ".join(v if isinstance(v, str) else f"{v:.2f}" for v in values) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
