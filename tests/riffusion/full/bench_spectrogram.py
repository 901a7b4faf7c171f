"""Measures spectrogram → sound of one clip against riffusion's published way, in one run.

usage: python -m tests.riffusion.full.bench_spectrogram [--quick]
The clips are the composer's, and riffusion's own where the folder that ETBGM_TEST_DATA names has
it. The published way takes minutes for each; `--quick` measures one. Distances are log-spectral,
to the spectrogram that was decoded, and the mean difference of its pixels, which are 0 to 255.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import soundfile
import torch

from etbgm_kit.types import Emotion
from etbgm_riffusion.spectrogram.banded import triangles
from etbgm_riffusion.spectrogram.codec import Codec, Sound
from etbgm_riffusion.spectrogram.image import Mel, from_pixels, to_pixels
from etbgm_riffusion.spectrogram.mel import bins_hz, corners_hz
from etbgm_riffusion.spectrogram.params import SpectrogramParams
from tests.riffusion.bench.pieces import bed_of, piece_of
from tests.riffusion.bench.table import Claim, say, show

COLUMNS = 512
PARAMS = SpectrogramParams()
SAMPLES = PARAMS.samples(COLUMNS)
RIFFUSIONS = "riffusion/clip_2_start_103694_ms_duration_5678_ms.wav"
PEAK = 30e6
"""Riffusion decodes every image with this peak, on the scale of 16 bit integers."""


class Way(NamedTuple):
    """A way from spectrogram to sound, as measured: seconds of one core; dB; steps of 255."""

    name: str
    seconds: float
    distance_db: float
    pixels_off: float


def main() -> int:
    """0 when every claim is met."""
    program = "python -m tests.riffusion.full.bench_spectrogram"
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one clip")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    say("One core, whose own time is taken; one mono clip of 5.11 s.\n")
    met = True
    for name, clip in list(clips())[-1:] if quick else clips():
        say(f"{name}:\n\n| way | s | times as fast | distance, dB | pixels off |\n|---|---|---|---|---|")
        ways = []
        for way in measured(clip):
            ways.append(way)
            speed = f"{way.seconds:.2f} | {ways[0].seconds / way.seconds:.0f}"
            say(f"| {way.name} | {speed} | {way.distance_db:.2f} | {way.pixels_off:.2f} |")
        say("")
        met &= show(claims(*ways), detailed=False)
        say("")
    return 0 if met & show(memory_claims(), detailed=False) else 1


def clips() -> Iterator[tuple[str, Sound]]:
    """Names and sounds of one channel, as long as 512 columns."""
    piece = bed_of(piece_of(Emotion.JOY, 1, 15.0))
    yield "the composer's clip", piece[4 * 44100 :][:SAMPLES].mean(axis=1, keepdims=True)
    path = Path(os.environ.get("ETBGM_TEST_DATA", "")) / RIFFUSIONS
    if path.is_file():
        yield "riffusion's clip", soundfile.read(path, dtype="float32", always_2d=True)[0][:SAMPLES, :1]


def measured(clip: Sound) -> Iterator[Way]:
    """The published way, and ours without a guide and with one: a repainted image, led by the clip."""
    codec = Codec(PARAMS)
    image = seen(codec.encode(clip))
    repainted = seen(image * 10 ** (noise_db(4.0) / 20))

    def measure(name: str, target: Mel, decode: Callable[[Mel], Sound], times: int = 3) -> Way:
        spent = []
        for _ in range(times):
            start = time.process_time()
            sound = decode(target)
            spent.append(time.process_time() - start)
        return Way(name, statistics.median(spent), *distances(codec.encode(sound), target))

    yield measure("published: SGD 200, Griffin-Lim 32", image, published, times=1)
    yield measure("ours", image, lambda mel: codec.decode(mel, None, SAMPLES))
    yield measure("ours, repainted (σ 4 dB)", repainted, lambda mel: codec.decode(mel, None, SAMPLES))
    yield measure("the same, led by the clip", repainted, lambda mel: codec.decode(mel, clip, SAMPLES))


def seen(mel: Mel) -> Mel:
    """What remains of it in an image."""
    peak = float(mel.max())
    return from_pixels(to_pixels(mel, peak), stereo=False, peak=peak)


def noise_db(deviation_db: float) -> np.ndarray:
    """Smooth over 16 bands and 16 columns."""
    coarse = torch.randn((1, 1, 32, 32), generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.interpolate(coarse, size=(PARAMS.bands, COLUMNS), mode="bicubic")
    return deviation_db * smooth[0].numpy()


def distances(found: Mel, wanted: Mel) -> tuple[float, float]:
    """Log-spectral distance down to 80 dB below the peak, and mean difference of the pixels.

    Without the outer columns, whose windows reach beyond the sound.
    """
    found, wanted = found[..., 5 : COLUMNS - 5], wanted[..., 5 : COLUMNS - 5]
    floor = wanted.max() * 1e-4
    decibels = 20 * np.log10(np.maximum(found, floor) / np.maximum(wanted, floor))
    steps = 255 * (np.minimum(found / wanted.max(), 1) ** 0.25 - (wanted / wanted.max()) ** 0.25)
    return float(np.sqrt((decibels**2).mean(axis=1)).mean()), float(np.abs(steps).mean())


def published(mel: Mel) -> Sound:
    """What riffusion does: torchaudio 0.13's InverseMelScale, then its GriffinLim."""
    scale = PEAK / mel.max()
    spectrum = sgd_inverse(torch.from_numpy(mel * scale))
    return griffin_lim(spectrum).T.numpy() / scale


def sgd_inverse(mel: torch.Tensor, rounds: int = 200) -> torch.Tensor:
    """Magnitudes (channels, bins, columns) found by gradient descent, as `InverseMelScale` did until 2.0."""
    weights = torch.zeros(8821, PARAMS.bands)
    held = triangles(corners_hz(PARAMS), bins_hz(PARAMS, PARAMS.padded_ms))
    weights[: len(held)] = torch.from_numpy(held)
    target = mel.transpose(1, 2)
    generator = torch.Generator().manual_seed(0)
    spectrum = torch.rand((*target.shape[:2], len(weights)), generator=generator).requires_grad_()
    descent = torch.optim.SGD([spectrum], lr=0.1, momentum=0.9)
    before = float("inf")
    for _ in range(rounds):
        descent.zero_grad()
        loss = (target - spectrum @ weights).pow(2).sum(dim=-1).mean()
        loss.backward()
        descent.step()
        spectrum.data.clamp_(min=0)
        if loss.item() < 1e-5 or abs(before - loss.item()) < 1e-8:
            break
        before = loss.item()
    return spectrum.detach().transpose(1, 2)


def griffin_lim(magnitudes: torch.Tensor, rounds: int = 32, momentum: float = 0.99) -> torch.Tensor:
    """Sound (channels, samples), as torchaudio's `GriffinLim` makes it."""
    window = torch.hann_window(4410)
    generator = torch.Generator().manual_seed(0)
    angles = torch.rand(magnitudes.shape, dtype=torch.complex64, generator=generator)
    before = torch.zeros(())
    for _ in range(rounds):
        sound = torch.istft(magnitudes * angles, 17640, 441, 4410, window)
        rebuilt = torch.stft(sound, 17640, 441, 4410, window, return_complex=True)
        angles = rebuilt - before * (momentum / (1 + momentum))
        angles = angles / (angles.abs() + 1e-16)
        before = rebuilt
    return torch.istft(magnitudes * angles, 17640, 441, 4410, window)


def claims(theirs: Way, ours: Way, repainted: Way, led: Way) -> Iterator[Claim]:
    """What is claimed of the ways."""
    for way in (ours, led):
        faster = theirs.seconds / way.seconds
        yield Claim(f"{way.name}: times as fast as the published way", faster, "≥ 20", faster >= 20)
    for way, other in ((ours, theirs), (led, repainted)):
        near = way.distance_db <= other.distance_db
        yield Claim(f"{way.name}: distance, dB", way.distance_db, f"≤ {other.distance_db:.2f}", near)


def memory_claims() -> Iterator[Claim]:
    """Minutes of sound take the memory of blocks."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        short, long = (pool.apply(working_mb, (seconds,)) for seconds in (12, 60))
    yield Claim("stereo, led: MB at most at once for 12 s of sound", short, "≤ 500", short <= 500)
    yield Claim("the same for 60 s", long, "≤ 500", long <= 500)


def working_mb(seconds: int) -> float:
    """The most memory that decoding so much noise takes, beside what goes in and what comes out.

    VmHWM begins anew with each program; getrusage's peak is at least that of whoever started it.
    """
    torch.set_num_threads(1)
    codec = Codec(SpectrogramParams(stereo=True))
    generator = np.random.default_rng(1)
    noise = generator.standard_normal((seconds * PARAMS.sample_rate_hz, 2), np.float32)
    mel = codec.encode(noise)
    before = psutil.Process().memory_info().rss
    codec.decode(mel, noise, len(noise))
    status = Path("/proc/self/status").read_text(encoding="ascii")
    most = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return (most - before - noise.nbytes) / 1e6


if __name__ == "__main__":
    sys.exit(main())
