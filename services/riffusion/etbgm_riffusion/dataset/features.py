"""What is heard in a sound. All functions take mono float32 at RATE_HZ."""

import librosa
import numpy as np
import pyloudnorm
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

RATE_HZ = 22050
HOP = 512
WINDOW = 2048

Array = NDArray[np.float64]

_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""Probe-tone profiles of Krumhansl & Kessler (1982), from the tonic upwards."""

_TEMPI_BPM = 50 * 2 ** np.arange(0, 2, 0.002)
_USUAL_BPM, _OCTAVES = 100.0, 0.9
"""Middle and spread of tempi that listeners tap (van Noorden & Moelants 1999)."""
_PERIODS = np.arange(1, 17)

_LOWEST, _OCTAVES_HEARD = "A2", 4
_HARMONICS = ((0, 1.0), (12, 0.6), (19, 0.4), (24, 0.3))
"""Semitones above a tone, and the weight of what sounds there."""
_PARTIALS = 20
_FINE_WINDOW = 8192


def mono(sound: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Both sides together, at RATE_HZ."""
    return np.asarray(librosa.resample(librosa.to_mono(sound.T), orig_sr=rate_hz, target_sr=RATE_HZ))


def loudness_lufs(sound: NDArray[np.float32], rate_hz: int) -> float:
    """Integrated loudness (ITU-R BS.1770) of a stereo sound."""
    return float(pyloudnorm.Meter(rate_hz).integrated_loudness(sound))


def spectrogram(y: NDArray[np.float32]) -> Array:
    """Magnitudes, (frequencies, frames)."""
    return np.asarray(np.abs(librosa.stft(y, n_fft=WINDOW, hop_length=HOP)))


def chroma(y: NDArray[np.float32], hop: int = 1024) -> Array:
    """Pitch classes from a constant-Q transform, (12, frames)."""
    classes = librosa.feature.chroma_cqt(y=y, sr=RATE_HZ, hop_length=hop, bins_per_octave=36, tuning=0.0)
    return np.asarray(classes)


def key(mean_chroma: Array) -> tuple[int, str, float]:
    """Tonic, "major" or "minor", and how much better the best major key fits than the best minor.

    The Krumhansl-Schmuckler algorithm: the highest correlation of all 24 keys' profiles
    (Krumhansl 1990, "Cognitive foundations of musical pitch", ch. 4).
    """
    fits = {
        (mode, tonic): float(np.corrcoef(mean_chroma, np.roll(profile, tonic))[0, 1])
        for mode, profile in (("major", _MAJOR), ("minor", _MINOR))
        for tonic in range(12)
    }
    best = {mode: max(fit for (of, _), fit in fits.items() if of == mode) for mode in ("major", "minor")}
    mode, tonic = max(fits, key=lambda place: fits[place])
    return tonic, mode, best["major"] - best["minor"]


def key_of(sound: NDArray[np.float32], rate_hz: int) -> tuple[int, str]:
    """Tonic and "major" or "minor" of a stereo sound."""
    tonic, mode, _ = key(chroma(mono(sound, rate_hz)).mean(axis=1))
    return tonic, mode


def onset_strength(magnitudes: Array) -> Array:
    """The onset envelope of a spectrogram (spectral flux of the mel spectrum in dB)."""
    mel = librosa.feature.melspectrogram(S=magnitudes**2, sr=RATE_HZ)
    return np.asarray(librosa.onset.onset_strength(S=librosa.power_to_db(mel), sr=RATE_HZ))


def tempo_bpm(envelope: Array, frames_per_s: float = RATE_HZ / HOP) -> float:
    """The tempo whose first 16 periods the envelope's autocorrelation supports best.

    Weighted by how likely listeners are to tap it. Percival & Tzanetakis (2014,
    "Streamlined tempo estimation") and others use such pulse trains; resolution 0.14 %.
    """
    centred = envelope - envelope.mean()
    spectrum = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    correlation = np.fft.irfft(spectrum)[: len(centred)] / np.maximum(
        1, len(centred) - np.arange(len(centred))
    )
    lags = 60 * frames_per_s / _TEMPI_BPM[:, None] * _PERIODS
    support = np.interp(np.minimum(lags, len(centred) / 2), np.arange(len(centred)), correlation)
    support = np.where(lags < len(centred) / 2, support, np.nan)
    likely = np.exp(-0.5 * (np.log2(_TEMPI_BPM / _USUAL_BPM) / _OCTAVES) ** 2)
    return float(_TEMPI_BPM[np.nanargmax(np.nanmean(support, axis=1) * likely)])


def onsets_per_s(envelope: Array) -> float:
    """Onsets per second: peaks that stand out of the 200 ms around them, at least 30 ms apart.

    The rule and its numbers are those of librosa.onset.onset_detect, whose compiled part crashes now
    and then (numba 0.68 with numpy 2.4).
    """
    level = (envelope - envelope.min()) / max(np.ptp(envelope), 1e-9)
    frames = RATE_HZ / HOP
    around = uniform_filter1d(level, 2 * round(0.1 * frames) + 1)
    found, _ = find_peaks(level - around, height=0.07, distance=max(1, round(0.03 * frames)))
    return len(found) / (len(envelope) * HOP / RATE_HZ)


def register(y: NDArray[np.float32]) -> float:
    """Mean pitch above the bass, without percussion, as a MIDI number.

    Each semitone of the constant-Q spectrum counts by its harmonic salience, the sum over the
    partials that a tone there would have (Klapuri 2006, "Multiple fundamental frequency
    estimation by summing harmonic amplitudes"), so that overtones do not count as tones.
    """
    tones = librosa.effects.harmonic(y)
    lowest = librosa.note_to_hz(_LOWEST)
    bins = 12 * (_OCTAVES_HEARD + 2)
    levels = np.abs(librosa.cqt(tones, sr=RATE_HZ, hop_length=1024, fmin=lowest, n_bins=bins)).mean(axis=1)
    heard_bins = np.arange(12 * _OCTAVES_HEARD)
    shares = (weight * levels[heard_bins + shift] for shift, weight in _HARMONICS)
    salience = np.where(_peaks(levels)[heard_bins], np.sum(list(shares), axis=0), 0.0) ** 2
    return float((salience * heard_bins).sum() / salience.sum() + librosa.note_to_midi(_LOWEST))


def _peaks(levels: Array) -> NDArray[np.bool_]:
    """Where a value is greater than its neighbours."""
    padded = np.pad(levels, 1)
    return np.asarray((levels > padded[:-2]) & (levels >= padded[2:]))


def roughness(y: NDArray[np.float32]) -> float:
    """Sensory dissonance of the strongest partials, level taken out, mean over frames.

    Sethares (1993), "Local consonance and the relationship between timbre and scale", eq. 3.
    """
    frames = np.abs(librosa.stft(y, n_fft=_FINE_WINDOW, hop_length=_FINE_WINDOW))
    frequencies = librosa.fft_frequencies(sr=RATE_HZ, n_fft=_FINE_WINDOW)
    values = []
    for frame in frames.T:
        partials = np.where(_peaks(frame), frame, 0.0)
        strongest = np.argsort(partials)[-_PARTIALS:]
        amplitudes, at_hz = partials[strongest], frequencies[strongest]
        power = float((amplitudes**2).sum())
        if power > 0:
            lower = np.minimum.outer(at_hz, at_hz)
            apart = np.abs(np.subtract.outer(at_hz, at_hz)) * 0.24 / (0.021 * lower + 19)
            beats = np.minimum.outer(amplitudes, amplitudes) * (np.exp(-3.5 * apart) - np.exp(-5.75 * apart))
            values.append(float(beats.sum()) / 2 / power**0.5)
    return float(np.mean(values))


def heard(sound: NDArray[np.float32], rate_hz: int) -> dict[str, float]:
    """All features of a stereo sound by name; "key" and "minor" are the detected key."""
    y = mono(sound, rate_hz)
    magnitudes = spectrogram(y)
    envelope = onset_strength(magnitudes)
    level = librosa.feature.rms(S=magnitudes, frame_length=WINDOW)[0]
    centroid = librosa.feature.spectral_centroid(S=magnitudes, sr=RATE_HZ)[0]
    classes = chroma(y).mean(axis=1)
    tonic, mode, major = key(classes)
    mfcc = librosa.feature.mfcc(y=y, sr=RATE_HZ, n_mfcc=13)
    features = {
        "loudness": loudness_lufs(sound, rate_hz),
        "onset rate": onsets_per_s(envelope),
        "tempo": tempo_bpm(envelope),
        "centroid": float(np.average(centroid, weights=level)),
        "register": register(y),
        "mode": major,
        "roughness": roughness(y),
        "onset contrast": float(envelope.std() / envelope.mean()),
        "level contrast": float(level.std() / level.mean()),
        "flatness": float(librosa.feature.spectral_flatness(S=magnitudes).mean()),
    }
    features |= {f"mfcc mean {i}": float(value) for i, value in enumerate(mfcc.mean(axis=1))}
    features |= {f"mfcc spread {i}": float(value) for i, value in enumerate(mfcc.std(axis=1))}
    steps = np.roll(classes, -tonic) / classes.sum()
    features |= {f"step {i}": float(value) for i, value in enumerate(steps)}
    return features | {"key": float(tonic), "minor": float(mode == "minor")}
