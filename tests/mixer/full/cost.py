"""What demucs costs: memory and time of the processor.

usage: python -m tests.mixer.full.cost MODEL_FOLDER|htdemucs SECONDS

Prints the most memory that the process held and the time of all cores per second of
sound. `htdemucs` is a model of that one's shape with random weights, which cost the same.
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
    """One line of figures, of noise, in which nobody speaks: all of it is computed."""
    model, seconds = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if model == "htdemucs":
            save(HTDemucs(SOURCES, bottom_channels=512, segment=Fraction(39, 5)), folder)
        separator = DemucsSeparator(folder if model == "htdemucs" else Path(model), "cpu")
        separator.load()
        second = noise(1)
        with sound.created(folder / "long.wav", 2) as file:
            for _ in range(seconds):
                file.write(second)
        begun_s = time.process_time()
        separator.enhance(folder / "long.wav", folder / "enhanced.wav", lambda _: None)
    cpu_s = (time.process_time() - begun_s) / seconds
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak_mb = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    sys.stdout.write(f"{peak_mb:.0f} MB, {cpu_s:.2f} s of CPU per second of sound\n")


if __name__ == "__main__":
    main()
