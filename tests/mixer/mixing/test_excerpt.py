"""An excerpt sounds like the same span of the whole mix, before the rest of its music is known."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_kit.types import MusicLevel, Span
from etbgm_mixer.mixing.excerpt import mix_excerpt
from etbgm_mixer.mixing.mix import Mix, Outputs, Parts
from etbgm_mixer.mixing.music_bed import PlacedCue
from etbgm_mixer.mixing.render import CODING_MARGIN_DB
from etbgm_mixer.types import MixSettings
from tests.mixer.conftest import RATE_HZ, Sound, noise, write
from tests.mixer.mixing.test_mix import SPANS, level_db, voice

pytestmark = pytest.mark.process

SPAN = Span(4.5, 9.25)


def parts_with(folder: Path, name: str, music: Sound) -> Parts:
    """Speech, quiet waves and `music`."""
    speech, waves = write(folder / "speech.flac", voice()), write(folder / "r.flac", noise(12, -50, seed=9))
    cues = [
        PlacedCue(write(folder / f"{name}1.flac", music[: 7 * RATE_HZ]), Span(0, 7)),
        PlacedCue(write(folder / f"{name}2.flac", music[7 * RATE_HZ :]), Span(7, 12)),
    ]
    return Parts(speech, cues, SPANS, 12.0, ambience=waves)


def inside(sound: Sound) -> Sound:
    return sound[round(SPAN.start_s * RATE_HZ) : round(SPAN.end_s * RATE_HZ)]


def whole(parts: Parts, settings: MixSettings, folder: Path) -> Sound:
    """The excerpt's span of the whole mix."""
    ceiling, mix = settings.max_true_peak_dbtp - CODING_MARGIN_DB, Mix(parts, settings)
    mix.render(
        mix.measure(lambda _: None),
        ceiling,
        Outputs(folder / "all.wav", folder / "stem.flac"),
        lambda _: None,
    )
    return inside(soundfile.read(folder / "all.wav", dtype="float32")[0])


def excerpt(parts: Parts, settings: MixSettings, music: Path | None) -> Sound:
    return mix_excerpt(parts, settings, SPAN, music, lambda _: None)


def test_an_excerpt_is_a_part_of_the_whole_mix(tmp_path: Path) -> None:
    settings = MixSettings(ambience_db=-6.0, music_levels=(MusicLevel(Span(5, 7), -12.0),))
    parts = parts_with(tmp_path, "bed", noise(12, -25))
    expected, found = whole(parts, settings, tmp_path), excerpt(parts, settings, None)
    assert found.shape == expected.shape
    gain = np.sum(found * expected) / np.sum(expected**2)
    assert abs(20 * np.log10(gain)) < 0.5, "what the whole still corrects when the limiter has acted"
    np.testing.assert_allclose(found, gain * expected, atol=2e-3)


@pytest.mark.parametrize("louder_db", [-8.0, 8.0])
def test_new_music_is_as_loud_as_in_the_whole_mix(tmp_path: Path, louder_db: float) -> None:
    old, new = noise(12, -25), noise(12, -25 + louder_db, seed=3)
    changed = old.copy()
    inside(changed)[:] = inside(new)
    expected = whole(parts_with(tmp_path, "changed", changed), MixSettings(), tmp_path)
    music = write(tmp_path / "new.flac", inside(new))
    found = excerpt(parts_with(tmp_path, "old", old), MixSettings(), music)
    for quarter in range(4):
        share = slice(quarter * len(found) // 4, (quarter + 1) * len(found) // 4)
        assert level_db(found[share]) == pytest.approx(level_db(expected[share]), abs=0.3)
