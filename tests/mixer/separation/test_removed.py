"""The user is told if much loud sound was removed, and only then."""

from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.types import EngineInfo, Span
from etbgm_mixer import sound
from etbgm_mixer.media.probe import Limits
from etbgm_mixer.separation.removed import RemovedMeter, notes
from etbgm_mixer.separation.separator import Findings
from etbgm_mixer.service import MixerService
from etbgm_mixer.types import OnProgress, Separated
from tests.mixer.conftest import RATE_HZ, Sound, noise, write

pytestmark = pytest.mark.process

SPANS = (Span(2, 5), Span(8, 11))
DURATION_S = 20


def speech() -> Sound:
    """Noise of -20 dB on SPANS, (samples, 1)."""
    times_s = np.arange(DURATION_S * RATE_HZ) / RATE_HZ
    spoken = sum(((times_s >= span.start_s) & (times_s < span.end_s)).astype(np.float32) for span in SPANS)
    return noise(DURATION_S, -20, channels=1) * np.float32(spoken)[:, None]


def music(level_db: float, seconds: float, channels: int = 2) -> Sound:
    """Noise for the last `seconds`, (samples, channels)."""
    found = noise(DURATION_S, level_db, seed=2, channels=channels)
    found[: round((DURATION_S - seconds) * RATE_HZ)] = 0
    return found


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("level_db", "loud_s"), [(-20, 7), (-22, 7), (-24, 0), (-40, 0)])
def test_only_sound_about_as_loud_as_the_speech_counts(channels: int, level_db: float, loud_s: float) -> None:
    meter = RemovedMeter(channels)
    for spoken, rest in zip(
        np.array_split(speech()[:, 0], 7), np.array_split(music(level_db, 7, channels), 7), strict=True
    ):
        meter.feed(spoken, rest)
    assert meter.loud_s(SPANS) == pytest.approx(loud_s, abs=0.4)


def test_without_speech_nothing_is_compared() -> None:
    meter = RemovedMeter(2)
    meter.feed(np.zeros(RATE_HZ, np.float32), noise(1))
    assert meter.loud_s(()) == 0


def test_little_needs_no_note() -> None:
    assert notes(4.9) == ()
    assert len(notes(5.0)) == 1


class KnownSpeech:
    """A Separator that knows the answer."""

    engine = EngineInfo("known", "1", "cpu")

    def load(self) -> None:
        """Nothing to load."""

    def enhance(self, audio: Path, enhanced: Path, on_progress: OnProgress) -> Findings:
        with sound.created(enhanced, 1) as target:
            target.write(speech())
        return Findings(SPANS, is_clean=False)


def separated(folder: Path, store: ArtifactStore, limits: Limits, audio: Sound) -> Separated:
    service = MixerService(store, Scratch(folder / "work"), limits, 60.0, lambda: (KnownSpeech(), ()))
    service.load()
    return service.separate(store.put(write(folder / "a.flac", audio), "audio/flac"), lambda _: None)


def test_the_note_states_the_seconds(tmp_path: Path, store: ArtifactStore, limits: Limits) -> None:
    found = separated(tmp_path, store, limits, speech() + music(-18, 8))
    assert found.notes == (
        "Separation removed 8 s of sound about as loud as the speech, such as music or singing; "
        "--original-audio keep leaves it in the result.",
    )


def test_quiet_background_needs_no_note(tmp_path: Path, store: ArtifactStore, limits: Limits) -> None:
    assert separated(tmp_path, store, limits, speech() + music(-40, DURATION_S)).notes == ()
