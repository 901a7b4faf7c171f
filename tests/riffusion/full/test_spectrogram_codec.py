"""Sound to spectrogram and back."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from etbgm_riffusion.spectrogram.codec import Codec, Sound
from etbgm_riffusion.spectrogram.image import Mel, load, to_pixels
from etbgm_riffusion.spectrogram.params import SpectrogramParams

CLIP = "riffusion/clip_2_start_103694_ms_duration_5678_ms"
RATE_HZ = 44100
PARAMS = SpectrogramParams(stereo=True)


@pytest.fixture(scope="session")
def codec() -> Codec:
    return Codec(PARAMS)


@pytest.fixture(scope="session")
def clip(test_data: Path) -> Sound:
    """The sound of Riffusion's image, 5.678 s of stereo."""
    sound: Sound = soundfile.read(test_data / f"{CLIP}.wav", dtype="float32")[0]
    return sound


@pytest.fixture(scope="session")
def melody() -> Sound:
    """Decaying tones with overtones and a click at each start, 2 s of stereo."""
    return tones(np.random.default_rng(5), 2.0)


def tones(chance: np.random.Generator, duration_s: float) -> Sound:
    sound = np.zeros((round(duration_s * RATE_HZ), 2), np.float32)
    for start in range(0, len(sound), RATE_HZ // 4):
        time_s = np.arange(min(RATE_HZ, len(sound) - start)) / RATE_HZ
        note_hz = 110 * 2 ** (chance.integers(0, 36) / 12)
        for overtone in range(1, 9):
            wave = np.sin(2 * np.pi * overtone * note_hz * time_s + chance.uniform(0, 6)) / overtone**1.5
            sound[start : start + len(time_s)] += (
                0.1 * np.exp(-4 * time_s * overtone**0.5)[:, None] * wave[:, None]
            )
        click = chance.normal(0, 0.05, (400, 2)) * np.linspace(1, 0, 400)[:, None]
        sound[start : start + 400] += click[: len(sound) - start].astype(np.float32)
    return sound


def distance_db(found: Mel, wanted: Mel) -> float:
    """Log-spectral distance, down to 80 dB below the peak; the outer windows have fewer neighbours."""
    floor = wanted.max() * 1e-4
    decibels = 20 * np.log10(np.maximum(found, floor) / np.maximum(wanted, floor))
    return float(np.sqrt((decibels**2).mean(axis=1))[:, 5:-5].mean())


def nearness_db(found: Sound, wanted: Sound) -> float:
    """Energy of the sound against that of the difference, sample by sample."""
    return float(10 * np.log10((wanted**2).sum() / ((found - wanted) ** 2).sum()))


def envelopes(mel: Mel) -> NDArray[np.float64]:
    """Loudness over time of eight groups of bands of each channel, (16, columns)."""
    groups = mel.reshape(2, 8, 64, -1).astype(np.float64)
    return 20 * np.log10(groups.mean(axis=2) + 1e-2).reshape(16, -1)


def test_encoding_agrees_with_torch_and_librosa(codec: Codec, melody: Sound) -> None:
    """In riffusion: torchaudio's Spectrogram, then its MelScale, which the two stand for."""
    window = torch.hann_window(4410)
    padded = torch.stft(
        torch.from_numpy(melody.T.copy()),
        n_fft=17640,
        hop_length=441,
        win_length=4410,
        window=window,
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )
    filters = librosa.filters.mel(
        sr=RATE_HZ, n_fft=17640, n_mels=512, fmin=0, fmax=10000, htk=True, norm=None
    )
    wanted = filters @ padded.abs().numpy()
    assert np.abs(codec.encode(melody) - wanted).max() < 1e-5 * wanted.max()


def test_the_clip_gives_riffusions_images(codec: Codec, test_data: Path, clip: Sound) -> None:
    """The mono image is of the left channel."""
    for name, sound in ((f"{CLIP}_stereo.png", clip), (f"{CLIP}.png", clip[:, :1])):
        theirs, _ = load(test_data / name)
        ours = codec.encode(sound)
        assert ours.max() == pytest.approx(theirs.max(), rel=1e-6)
        off = np.abs(to_pixels(ours, ours.max()).astype(int) - to_pixels(theirs, theirs.max()))
        assert off.max() <= 1
        assert off.mean() < 0.002


def test_riffusions_image_gives_the_clip(codec: Codec, test_data: Path, clip: Sound) -> None:
    mel, _ = load(test_data / f"{CLIP}_stereo.png")
    sound = codec.decode(mel, None, len(clip))
    assert sound.shape == clip.shape
    found, wanted = codec.encode(sound), codec.encode(clip)
    assert distance_db(found, wanted) < 1.5
    for ours, theirs in zip(envelopes(found), envelopes(wanted), strict=True):
        assert np.corrcoef(ours, theirs)[0, 1] > 0.98
    assert np.abs(to_pixels(found, wanted.max()).astype(int) - to_pixels(wanted, wanted.max())).mean() < 2.5


def test_a_tone_keeps_its_pitch_and_level(codec: Codec) -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    tone = (0.3 * np.sin(2 * np.pi * 441.3 * time_s)).astype(np.float32)[:, None]
    sound = codec.decode(codec.encode(tone), None, len(tone))
    middle = sound[RATE_HZ // 2 : -RATE_HZ // 2, 0]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 8 * len(middle)))
    assert spectrum.argmax() / 8 == pytest.approx(441.3, abs=0.5)
    assert 20 * np.log10(np.sqrt((middle**2).mean() * 2) / 0.3) == pytest.approx(0, abs=0.5)


def test_a_guides_own_spectrogram_gives_the_guide(codec: Codec, melody: Sound) -> None:
    """Up to the highest frequencies, which no band holds: the clicks have them."""
    assert nearness_db(codec.decode(codec.encode(melody), melody, len(melody)), melody) > 40


def test_what_was_repainted_leaves_the_rest_as_it_was(codec: Codec, melody: Sound) -> None:
    """From 0.6 to 1.2 s the bands above 1 kHz are 12 dB lower."""
    mel = codec.encode(melody)
    mel[:, 180:, 60:120] *= 0.25
    sound = codec.decode(mel, melody, len(melody))
    assert distance_db(codec.encode(sound), mel) < 0.8
    for part in (slice(0, RATE_HZ // 2), slice(RATE_HZ * 13 // 10, None)):
        assert nearness_db(sound[part], melody[part]) > 35


def test_what_the_guide_lacks_is_made(codec: Codec, melody: Sound) -> None:
    """A guide that is silent, or other music, does not keep the sound from being as wanted.

    The clicks, shorter than a window, are what is farthest off.
    """
    mel = codec.encode(melody)
    other = tones(np.random.default_rng(6), 3.0)
    free, silent, misled = (
        distance_db(codec.encode(codec.decode(mel, guide, len(melody))), mel)
        for guide in (None, np.zeros_like(melody), other)
    )
    assert free < 3
    assert silent == pytest.approx(free, abs=0.05)
    assert misled < free + 0.5


def test_blocks_are_not_heard(melody: Sound) -> None:
    """With a guide they give the samples of the whole; without, columns at seams are no worse."""
    blocks, whole = Codec(PARAMS, block=120), Codec(PARAMS, block=1000)
    mel = whole.encode(melody)
    mel[:, 100:300] *= 0.5
    ours, theirs = (codec.decode(mel, melody, len(melody)) for codec in (blocks, whole))
    assert nearness_db(ours, theirs) > 40
    found, wanted = (codec.encode(codec.decode(mel, None, len(melody))) for codec in (blocks, whole))
    seams = np.concatenate([np.arange(first, first + 40) for first in range(80, 240, 80)])
    apart, joined = (distance_db(each[..., seams], mel[..., seams]) for each in (found, wanted))
    assert apart < joined + 0.2


@pytest.mark.parametrize("samples", [2, 440, 441, 5000, 30011])
@pytest.mark.parametrize("guided", [False, True])
def test_any_length_and_one_channel(codec: Codec, melody: Sound, samples: int, guided: bool) -> None:
    sound = melody[:samples, :1]
    mel = codec.encode(sound)
    assert mel.shape == (1, 512, 1 + samples // 441)
    decoded = codec.decode(mel, sound if guided else None, samples)
    assert decoded.shape == sound.shape
    assert np.isfinite(decoded).all()
    assert np.abs(decoded).max() < 2 * np.abs(sound).max() + 1e-3


def test_silence_stays_silent_and_columns_beyond_the_end_are_ignored(codec: Codec, melody: Sound) -> None:
    assert not codec.decode(np.zeros((2, 512, 60), np.float32), None, 20_000).any()
    sound = melody[: RATE_HZ // 2]
    mel = codec.encode(sound)
    longer = np.concatenate([mel, mel], axis=2)
    assert np.array_equal(codec.decode(longer, sound, len(sound)), codec.decode(mel, sound, len(sound)))


def test_the_same_values_give_the_same_bytes(codec: Codec, melody: Sound) -> None:
    samples = RATE_HZ // 2
    mel = codec.encode(melody[:samples])
    assert codec.decode(mel, None, samples).tobytes() == codec.decode(mel, None, samples).tobytes()


def test_other_numbers_than_riffusions_work_too() -> None:
    melody = tones(np.random.default_rng(5), 3.0)
    codec = Codec(SpectrogramParams(stereo=True, bands=256, min_hz=20, max_hz=16000, padded_ms=200))
    mel = codec.encode(melody)
    assert mel.shape == (2, 256, 301)
    assert distance_db(codec.encode(codec.decode(mel, None, len(melody))), mel) < 3.2
