"""A small HTDemucs that learns, in seconds, to part flite's voice from simple music."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from demucs.htdemucs import HTDemucs
from demucs.states import get_state, save_with_checksum
from numpy.typing import NDArray

Mono = NDArray[np.float32]

RATE_HZ = 8000
SHAPE: dict[str, Any] = {
    "channels": 8,
    "nfft": 512,
    "depth": 2,
    "t_layers": 1,
    "t_heads": 2,
    "dconv_mode": 0,  # without the branches that cost most of the time
    "samplerate": RATE_HZ,
    "segment": Fraction(1),  # the real one's is a fraction too
}
STEPS = 72
BATCH = 4
HIGH_HZ = (2093.0, 2349.3, 2637.0, 2793.8, 3136.0, 3520.0)
LOW_HZ = (55.0, 61.7, 73.4)


def music(samples: int, random: np.random.Generator) -> Mono:
    """A chord of three high tones over a bass, above and below the voice's loud parts; RMS 1."""
    times_s = np.arange(samples) / RATE_HZ
    tones = [*random.choice(HIGH_HZ, 3, replace=False), random.choice(LOW_HZ)]
    phases = random.uniform(0, 2 * np.pi, len(tones))
    wave = sum(np.sin(2 * np.pi * hz * times_s + phase) for hz, phase in zip(tones, phases, strict=True))
    return (wave / np.std(wave)).astype(np.float32)


def train(speech: Mono) -> HTDemucs:
    """A model that knows `rest` and `vocals`, after STEPS batches of a second each."""
    with one_thread():
        torch.manual_seed(1)
        random = np.random.default_rng(1)
        model = HTDemucs(["rest", "vocals"], **SHAPE)
        optimizer = torch.optim.Adam(model.parameters(), 3e-3)
        for _ in range(STEPS):
            starts = random.integers(0, len(speech) - RATE_HZ, BATCH)
            vocals = np.stack([speech[start : start + RATE_HZ] for start in starts])
            levels = speech.std() * random.uniform(0.5, 1.5, (BATCH, 1))
            rest = levels * np.stack([music(RATE_HZ, random) for _ in range(BATCH)])
            sources = torch.tensor(np.stack([rest, vocals], axis=1), dtype=torch.float32)
            sources = sources[:, :, None].repeat(1, 1, 2, 1)
            mix = sources.sum(dim=1)
            loss = (model(mix / mix.std()) - sources / mix.std()).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


def save(model: HTDemucs, folder: Path, name: str = "tiny") -> Path:
    """The checkpoint's path, named and made as demucs makes its own."""
    args, kwargs = model._init_args_kwargs
    package = {
        "klass": type(model),
        "args": args,
        "kwargs": kwargs,
        "state": get_state(model, None),
        "training_args": {},
    }
    save_with_checksum(package, folder / f"{name}.th")
    return next(folder.glob(f"{name}-*.th"))


@contextmanager
def one_thread() -> Iterator[None]:
    """So small a model gains nothing by more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
