"""Mixdowns reach the loudness that was asked for, with speech over music, whatever comes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from etbgm_kit.types import MusicLevel, Span
from etbgm_mixer.mixing.levelling import at_samples
from etbgm_mixer.mixing.mix import Mix, Outputs, Parts, Reached
from etbgm_mixer.mixing.music_bed import PlacedCue
from etbgm_mixer.types import MixReport, MixSettings, OriginalAudio
from tests.mixer.conftest import RATE_HZ, Sound, noise, write

pytestmark = pytest.mark.process

SPANS = [Span(2, 5), Span(8, 11)]


def voice(level_db: float = -20.0) -> Sound:
    sound = np.zeros((12 * RATE_HZ, 1), np.float32)
    for i, span in enumerate(SPANS):
        first, last = round(span.start_s * RATE_HZ), round(span.end_s * RATE_HZ)
        sound[first:last] = noise(3, level_db, seed=i + 5, channels=1)
    return sound


def mixed(
    folder: Path,
    settings: MixSettings,
    speech: Sound | None,
    music: Sound,
    ceiling_dbtp: float = -1.0,
    ambience: Sound | None = None,
) -> tuple[Sound, Sound, Reached]:
    """Mixdown, music stem and what was reached."""
    duration_s = len(music) / RATE_HZ
    path = None if speech is None else write(folder / "speech.flac", speech)
    cue = PlacedCue(write(folder / "music.flac", music), Span(0, duration_s))
    rest = None if ambience is None else write(folder / "residual.flac", ambience)
    spans = SPANS if speech is not None else []
    mix = Mix(Parts(path, [cue], spans, duration_s, ambience=rest), settings)
    outputs = folder / "mix.wav", folder / "stem.flac"
    reached = mix.render(mix.measure(lambda _: None), ceiling_dbtp, Outputs(*outputs), lambda _: None)
    mixdown, stem = (soundfile.read(output, dtype="float32")[0] for output in outputs)
    return mixdown, stem, reached


def lufs(sound: Sound) -> float:
    return float(pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound.astype(np.float64)))


def level_db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean(sound**2)))


def part(sound: Sound, start_s: float, end_s: float) -> Sound:
    return sound[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]


@pytest.mark.parametrize("target_lufs", [-14.0, -16.0, -23.0])
@pytest.mark.parametrize("level_db", [-12.0, -35.0])
def test_the_loudness_is_met(tmp_path: Path, target_lufs: float, level_db: float) -> None:
    settings = MixSettings(target_loudness_lufs=target_lufs)
    mixdown, _, reached = mixed(tmp_path, settings, voice(level_db), noise(12, -25))
    assert lufs(mixdown) == pytest.approx(target_lufs, abs=0.5)
    assert lufs(mixdown) == pytest.approx(reached.loudness_lufs, abs=0.1)


@pytest.mark.parametrize("wanted_lu", [12.0, 14.0, 20.0])
def test_speech_is_as_far_over_the_music_as_asked(tmp_path: Path, wanted_lu: float) -> None:
    settings = MixSettings(speech_to_music_lu=wanted_lu)
    mixdown, stem, _ = mixed(tmp_path, settings, voice(), noise(12, -15))
    over = lufs(part(mixdown - stem, 2, 5)) - lufs(part(stem, 2, 5))
    assert over == pytest.approx(wanted_lu, abs=0.5)


def two_speakers(below_db: float) -> Sound:
    """`voice`, the second phrase quieter."""
    sound = voice()
    sound[7 * RATE_HZ :] *= np.float32(10 ** (-below_db / 20))
    return sound


@pytest.mark.parametrize("below_db", [6.0, 20.0])
def test_the_music_stays_below_the_quieter_speaker(tmp_path: Path, below_db: float) -> None:
    mixdown, stem, _ = mixed(tmp_path, MixSettings(), two_speakers(below_db), noise(12, -15))
    for span in SPANS:
        inner = span.start_s + 0.2, span.end_s - 0.2
        assert lufs(part(mixdown - stem, *inner)) - lufs(part(stem, *inner)) >= 13 - 0.3


def test_the_quieter_speaker_is_raised(tmp_path: Path) -> None:
    mixdown, stem, _ = mixed(tmp_path, MixSettings(), two_speakers(20), noise(12, -15))
    first, second = (lufs(part(mixdown - stem, span.start_s, span.end_s)) for span in SPANS)
    assert first - second < 8


def test_an_original_that_is_kept_is_not_levelled(tmp_path: Path) -> None:
    settings = MixSettings(original_audio=OriginalAudio.KEEP, target_loudness_lufs=-23)
    speech = two_speakers(20)
    mixdown, stem, reached = mixed(tmp_path, settings, speech, noise(12, -15))
    assert reached.reduction_db == 0
    expected = np.repeat(speech, 2, axis=1) * 10 ** (reached.gain_db / 20)
    np.testing.assert_allclose(mixdown - stem, expected, atol=1e-5)


def test_rare_high_peaks_are_not_left_to_the_limiter(tmp_path: Path) -> None:
    """Syllables of 50 ms are 6 dB louder, one each second, and so is a beat of the music in a pause."""
    speech, music = voice(), noise(12, -25)
    for first in range(2 * RATE_HZ, 11 * RATE_HZ, RATE_HZ):
        speech[first : first + RATE_HZ // 20] *= 2
    music[6 * RATE_HZ : 6 * RATE_HZ + RATE_HZ // 20] *= 2
    _, _, reached = mixed(tmp_path, MixSettings(target_loudness_lufs=-10), speech, music, -2.2)
    assert 0 < reached.reduction_db <= 5  # true peaks of white noise are up to 2 dB above its samples
    assert reached.loudness_lufs == pytest.approx(-10, abs=0.5)


def report(folder: Path, settings: MixSettings, speech: Sound | None, music: Sound) -> MixReport:
    cue = PlacedCue(write(folder / "music.flac", music), Span(0, 12))
    path = None if speech is None else write(folder / "speech.flac", speech)
    mix = Mix(Parts(path, [cue], SPANS if path else (), 12.0), settings)
    outputs = folder / "mix.wav", folder / "stem.flac"
    return mix.report(mix.render(mix.measure(lambda _: None), -1.0, Outputs(*outputs), lambda _: None), -1.0)


def test_the_worst_phrase_is_reported(tmp_path: Path) -> None:
    found = report(tmp_path, MixSettings(), two_speakers(40), noise(12, -15))
    assert found.worst_span is not None
    assert found.worst_span.start_s >= SPANS[1].start_s
    assert found.worst_speech_to_music_lu is not None
    assert found.speech_to_music_lu is not None
    assert found.worst_speech_to_music_lu < found.speech_to_music_lu - 5


def test_without_speech_no_phrase_is_the_worst(tmp_path: Path) -> None:
    found = report(tmp_path, MixSettings(), None, noise(12))
    assert (found.worst_speech_to_music_lu, found.worst_span, found.notes) == (None, None, ())


@pytest.mark.parametrize("level_db", [-60.0, -80.0])
def test_speech_far_below_the_usual_level_reaches_the_loudness(tmp_path: Path, level_db: float) -> None:
    found = report(tmp_path, MixSettings(), voice(level_db), noise(12, -25))
    assert found.integrated_loudness_lufs == pytest.approx(-14, abs=0.5)
    assert found.speech_to_music_lu == pytest.approx(14, abs=0.5)
    assert found.notes == ()


def test_a_note_states_a_loudness_that_could_not_be_met(tmp_path: Path) -> None:
    found = report(tmp_path, MixSettings(original_audio=OriginalAudio.KEEP), voice(-65), SILENCE)
    assert found.notes == (
        f"The loudness is {found.integrated_loudness_lufs:.1f} instead of -14.0 LUFS, "
        "because more gain would make the noise of this quiet sound too loud.",
    )
    assert found.integrated_loudness_lufs < -15


def test_the_music_rises_in_the_pauses(tmp_path: Path) -> None:
    _, stem, _ = mixed(tmp_path, MixSettings(music_lift_db=8), voice(), noise(12))
    assert lufs(part(stem, 6.7, 7.1)) - lufs(part(stem, 2.5, 4.5)) == pytest.approx(5, abs=0.5)


def test_the_stem_is_the_mix_without_the_voice(tmp_path: Path) -> None:
    mixdown, stem, _ = mixed(tmp_path, MixSettings(), voice(), noise(12))
    assert len(mixdown) == len(stem) == 12 * RATE_HZ
    np.testing.assert_allclose(part(mixdown, 6, 7.8), part(stem, 6, 7.8), atol=1e-6)


def test_music_alone(tmp_path: Path) -> None:
    mixdown, stem, _ = mixed(tmp_path, MixSettings(), None, noise(12, -30))
    assert lufs(mixdown) == pytest.approx(-14, abs=0.5)
    np.testing.assert_allclose(mixdown, stem, atol=1e-6)


SILENCE = np.zeros((12 * RATE_HZ, 2), np.float32)


@pytest.mark.parametrize("ambience_db", [0.0, -18.0, -60.0])
def test_ambience_has_the_level_asked_for_and_speech_stays_in_time(
    tmp_path: Path, ambience_db: float
) -> None:
    speech, ambience = voice(-30), noise(12, -35, seed=9)
    settings = MixSettings(target_loudness_lufs=-25, ambience_db=ambience_db)
    mixdown, _, reached = mixed(tmp_path, settings, speech, SILENCE, ambience=ambience)
    assert reached.reduction_db == 0
    levelled = speech * at_samples(reached.plan.voice_curve, 0, len(speech))
    expected = (levelled + ambience * 10 ** (ambience_db / 20)) * 10 ** (reached.gain_db / 20)
    np.testing.assert_allclose(mixdown, expected, atol=1e-5)


def test_without_a_level_the_ambience_is_left_out(tmp_path: Path) -> None:
    mixdown, _, _ = mixed(tmp_path, MixSettings(), voice(), SILENCE, ambience=noise(12))
    assert np.abs(part(mixdown, 6, 7.8)).max() == 0


def test_loud_ambience_changes_neither_loudness_nor_balance(tmp_path: Path) -> None:
    """The music is set against the speech alone."""
    settings, music = MixSettings(ambience_db=0), noise(12, -25)
    without = mixed(tmp_path, settings, voice(), music)[2]
    mixdown, _, reached = mixed(tmp_path, settings, voice(), music, ambience=noise(12, -20, seed=9))
    assert reached.plan.music_gain_db == pytest.approx(without.plan.music_gain_db, abs=0.1)
    assert lufs(mixdown) == pytest.approx(-14, abs=0.5)


def test_ambience_alone(tmp_path: Path) -> None:
    settings, ambience = MixSettings(ambience_db=-6), noise(12, -30, seed=9)
    mixdown, stem, reached = mixed(tmp_path, settings, None, noise(12, -30), ambience=ambience)
    rest = mixdown - stem
    assert level_db(rest) - level_db(ambience) == pytest.approx(reached.gain_db - 6, abs=0.1)


def test_a_loud_limit_keeps_the_ceiling(tmp_path: Path) -> None:
    speech = voice(-20)
    speech[::4801] *= 12
    settings = replace(MixSettings(), target_loudness_lufs=-9)
    mixdown, _, _ = mixed(tmp_path, settings, speech, noise(12, -25), ceiling_dbtp=-2)
    assert np.abs(mixdown).max() <= 10 ** (-2 / 20) + 1e-4


@pytest.mark.parametrize("seconds", [0.04, 0.3, 1.0])
def test_very_short_videos(tmp_path: Path, seconds: float) -> None:
    mixdown, _, reached = mixed(tmp_path, MixSettings(), None, noise(seconds))
    assert len(mixdown) == round(seconds * RATE_HZ)
    assert np.isfinite(reached.gain_db)


def test_silence_stays_silent(tmp_path: Path) -> None:
    mixdown, _, reached = mixed(tmp_path, MixSettings(), None, np.zeros((RATE_HZ, 2), np.float32))
    assert np.abs(mixdown).max() == 0
    assert reached.gain_db == 0


@pytest.mark.parametrize(("length", "cue_length"), [(100, 100), (RATE_HZ, 3 * RATE_HZ)])
def test_a_glimpse_and_a_bed_beyond_the_end_are_mixed(tmp_path: Path, length: int, cue_length: int) -> None:
    cue = PlacedCue(write(tmp_path / "cue.flac", noise(cue_length / RATE_HZ)), Span(0, cue_length / RATE_HZ))
    mix = Mix(Parts(None, [cue], (), length / RATE_HZ), MixSettings())
    outputs = tmp_path / "mix.wav", tmp_path / "stem.flac"
    mix.render(mix.measure(lambda _: None), -1.0, Outputs(*outputs), lambda _: None)
    assert [soundfile.info(output).frames for output in outputs] == [length, length]


def test_the_user_decides_on_the_music_in_spans(tmp_path: Path) -> None:
    """Mute, and 6 dB less; elsewhere the balance is that of a mix without wishes."""
    music = noise(12, -25)
    plain = mixed(tmp_path, MixSettings(), voice(), music)[1]
    levels = (MusicLevel(Span(0, 4), -60.0), MusicLevel(Span(8, 11), -6.0))
    asked = mixed(tmp_path, MixSettings(music_levels=levels), voice(), music)[1]
    assert not np.any(part(asked, 0.3, 3.7)), "there is no music at all"
    without = level_db(part(plain, 4.4, 7.6)) - level_db(part(asked, 4.4, 7.6))
    lower = level_db(part(plain, 8.4, 10.6)) - level_db(part(asked, 8.4, 10.6))
    assert lower - without == pytest.approx(6, abs=0.2)
    assert without == pytest.approx(0, abs=1.0), "with less music, the mix is raised to the same loudness"
    steps = np.abs(np.diff(np.sqrt(np.convolve(asked[:, 0] ** 2, np.ones(480) / 480, "same"))))
    assert steps.max() < 0.01, "the level changes gradually"
