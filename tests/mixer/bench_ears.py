"""Measures how well speech is separated on vlogs with known stems, as ears would judge it.

For each vlog: SI-SDR of the speech in the phrases (Le Roux et al., "SDR - half-baked or well done?",
ICASSP 2019) before and after, how far the background is down in the pauses, DNSMOS P.835 of the original
and of the speech stem (Reddy et al., ICASSP 2022; 1 to 5), and processor time. DNSMOS comes with
the package speechmos (MIT), which only this module uses.
"""

import itertools
import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.types import Artifact
from etbgm_mixer.media.probe import Limits
from etbgm_mixer.separation.deepfilter_engine import DeepFilterSeparator
from etbgm_mixer.service import MixerService
from tests.ears import Figure

Signal = NDArray[np.float64]
RATE_HZ = 48000
MOS_RATE_HZ = 16000
MARGIN_S = 0.4
"""Kept away from the edges of speech when pauses are measured: reverberation and ramps."""

LIMITS = Limits(1 << 33, 3600, 1 << 28, 32, 60)


AIMS_DB = {"vlog_o1_lj_music": 20.0, "vlog_o2_vertical_noise": 15.0, "vlog_o3_multi_vfr_loudmusic": 7.5}
"""SI-SDR of the speech stem."""

OVRL_AIMS = {"vlog_o1_lj_music": 3.2, "vlog_o2_vertical_noise": 3.09, "vlog_o3_multi_vfr_loudmusic": 2.40}
"""DNSMOS OVRL: 3.2 on the first, elsewhere what RNNoise reached on the same sound (3.03 on the first)."""


@dataclass(frozen=True)
class Separated:
    """A vlog's facts, its original sound and speech stem, (samples,) at 48 kHz, and the cost of the stem."""

    facts: Path
    original: Signal
    speech: Signal
    cpu_s: float


def separations(data: Path) -> Iterator[Separated]:
    """Separates each vlog in `data`/vlog with the default separator, through the service."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Scratch(Path(name) / "work")
        store = ArtifactStore(f"file://{name}/store", scratch)
        service = MixerService(store, scratch, LIMITS, 600.0, lambda: (DeepFilterSeparator(), ()))
        service.load()
        for facts in sorted((data / "vlog").glob("*.json")):
            truth = json.loads(facts.read_text())
            video = store.put(facts.with_name(truth["file"]), "video/any")
            audio = service.extract(video, lambda _: None).audio
            assert audio is not None
            begun_s = time.process_time()
            separated = service.separate(audio, lambda _: None)
            cpu_s = time.process_time() - begun_s
            yield Separated(facts, _read(store, audio), _read(store, separated.speech), cpu_s)


def figures(separations: Iterable[Separated]) -> Iterator[Figure]:
    """Yields how well and at what cost speech is separated."""
    for separated in separations:
        yield from _figures(separated)


def _figures(separated: Separated) -> Iterator[Figure]:
    original, speech, name = separated.original, separated.speech, separated.facts.stem
    truth = json.loads(separated.facts.read_text())
    known, background = (
        _fitted(separated.facts.with_name(truth[key]), len(speech))
        for key in ("speech_stem", "background_stem")
    )
    phrases = [(phrase["speech_start"], phrase["speech_end"]) for phrase in truth["phrases"]]
    pauses = pauses_between(phrases, len(speech) / RATE_HZ)
    down_db = level_db(within(background, pauses)) - level_db(within(speech, pauses))
    (before, _), (ovrl, sig) = dnsmos(original), dnsmos(speech)
    sdr_before, sdr = (si_sdr_db(within(one, phrases), within(known, phrases)) for one in (original, speech))
    yield Figure(f"{name}: SI-SDR of the original sound, dB", sdr_before)
    yield Figure(f"{name}: SI-SDR of the speech stem, dB", sdr, ("≥", AIMS_DB.get(name, 7.5)))
    yield Figure(f"{name}: background down in pauses, dB", down_db, ("≥", 40))
    yield Figure(f"{name}: DNSMOS OVRL of the original sound", before)
    yield Figure(f"{name}: DNSMOS OVRL of the speech stem", ovrl, ("≥", OVRL_AIMS.get(name, 3.0)))
    yield Figure(f"{name}: DNSMOS SIG of the speech stem", sig)
    yield Figure(f"{name}: CPU s per s of separation", separated.cpu_s / (len(speech) / RATE_HZ))


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
