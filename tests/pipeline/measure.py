"""Measures finished videos with tools that the product does not use on itself."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyloudnorm
import soundfile
import soxr
from numpy.typing import NDArray

Signal = NDArray[np.float64]
SAMPLE_RATE_HZ = 48000


def packets(video: Path) -> list[tuple[str, str, str]]:
    """Presentation time, duration and hash of every packet of the first video stream."""
    fields = "packet=pts_time,duration_time,data_hash"
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "V:0", "-show_data_hash", "md5"]
        + ["-show_entries", fields, "-of", "csv=p=0", video],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.strip(",").split(",") for line in done.stdout.split()]
    rows = [row for row in rows if not row[0].startswith("MD5")]  # side data, such as an alpha channel's
    return [(row[0], row[1] if len(row) > 2 else "", row[-1]) for row in rows]


def duration_s(video: Path) -> float:
    """Length of the container in seconds."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", video]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def sound(media: Path) -> Signal:
    """The decoded sound, (samples, 2) at 48 kHz, sample 0 at time 0 of the container."""
    raw = subprocess.run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-copyts",
            "-i",
            media,
            "-map",
            "a:0",
            "-af",
            "aresample=async=1:first_pts=0",
        ]
        + ["-ac", "2", "-ar", str(SAMPLE_RATE_HZ), "-f", "f32le", "-"],
        capture_output=True,
        check=True,
    ).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, 2).astype(np.float64)


def stem(path: Path) -> Signal:
    """A stem's samples, (samples, 2) at 48 kHz."""
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    assert rate == SAMPLE_RATE_HZ
    return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples


def loudness_lufs(signal: Signal) -> float:
    """Integrated loudness (BS.1770-4) by pyloudnorm."""
    return float(pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness(signal))


def momentary_lufs(media: Path) -> Signal:
    """Momentary loudness (EBU R 128) by ffmpeg; value i is that of the 400 ms up to 0.1 s * (i + 1)."""
    prints = "ebur128=metadata=1,ametadata=mode=print:key=lavfi.r128.M:file=-"
    command = ["ffmpeg", "-v", "error", "-i", media, "-af", prints, "-f", "null", "-"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return np.array([float(line.split("=")[1]) for line in printed.split() if line.startswith("lavfi")])


def true_peak_dbtp(signal: Signal) -> float:
    """Peak after 4 times oversampling by soxr (BS.1770-4, annex 2)."""
    return float(20 * np.log10(np.max(np.abs(soxr.resample(signal, SAMPLE_RATE_HZ, 4 * SAMPLE_RATE_HZ)))))


def within(signal: Signal, spans: Iterable[tuple[float, float]]) -> Signal:
    """The parts of `signal` inside the spans, one after the other."""
    cuts = [signal[round(a * SAMPLE_RATE_HZ) : round(b * SAMPLE_RATE_HZ)] for a, b in spans]
    return np.concatenate([cut for cut in cuts if len(cut)])


def level_db(signal: Signal) -> float:
    """RMS level in dB full scale."""
    return float(10 * np.log10(np.mean(signal**2) + 1e-20))


def lag_s(signal: Signal, reference: Signal) -> float:
    """By how much `signal` comes later than `reference`, in seconds, within half a second.

    The maximum of the cross-correlation of the mono mixes.
    """
    length = min(len(signal), len(reference))
    a, b = signal[:length].mean(axis=1), reference[:length].mean(axis=1)
    size = 1 << (2 * length - 1).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    reach = SAMPLE_RATE_HZ // 2
    near = np.concatenate([correlation[-reach:], correlation[: reach + 1]])
    return (int(np.argmax(near)) - reach) / SAMPLE_RATE_HZ


def largest_step(signal: Signal, at_s: float | None = None) -> float:
    """Largest difference of neighbouring samples, anywhere or within 5 ms of `at_s`."""
    if at_s is not None:
        middle, reach = round(at_s * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ // 200
        signal = signal[max(0, middle - reach) : middle + reach]
    return float(np.max(np.abs(np.diff(signal, axis=0))))
