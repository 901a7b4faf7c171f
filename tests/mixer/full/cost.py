"""What demucs costs: memory and time of the processor.

usage: python -m tests.mixer.full.cost MODEL_FOLDER|htdemucs SECONDS...

Separates sounds of these durations one after the other. Prints for each the most memory
that the process has held so far, and the time of all cores per second of sound.
`htdemucs` is a model of that one's shape with random weights, which cost the same.
"""

import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from demucs.htdemucs import HTDemucs

from etbgm_mixer import sound
from etbgm_mixer.separation.demucs_engine import DemucsSeparator
from tests.mixer.conftest import noise

from .tiny_demucs import save

SOURCES = ["drums", "bass", "other", "vocals"]


def main() -> None:
    """One line of figures for each sound, of noise, in which nobody speaks: all of it is computed."""
    model, durations_s = sys.argv[1], [int(duration) for duration in sys.argv[2:]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if model == "htdemucs":
            save(HTDemucs(SOURCES, bottom_channels=512, segment=Fraction(39, 5)), folder)
        separator = DemucsSeparator(folder if model == "htdemucs" else Path(model), "cpu")
        separator.load()
        for duration_s in durations_s:
            cpu_s = separate(separator, folder, duration_s) / duration_s
            sys.stdout.write(f"{peak_mb():.0f} MB, {cpu_s:.2f} s of CPU per second of sound\n")


def separate(separator: DemucsSeparator, folder: Path, duration_s: int) -> float:
    """Separates noise; returns the time of all cores, in seconds."""
    second = noise(1)
    with sound.created(folder / "long.wav", 2) as file:
        for _ in range(duration_s):
            file.write(second)
    begun_s = time.process_time()
    separator.enhance(folder / "long.wav", folder / "enhanced.wav", lambda _: None)
    return time.process_time() - begun_s


def peak_mb() -> float:
    """The most memory that the process has held."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
