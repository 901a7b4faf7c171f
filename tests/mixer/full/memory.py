"""Memory of demucs on long sound.

usage: python -m tests.mixer.full.memory MODEL_FOLDER MINUTES WORK_FOLDER   (prints MB at the peak)
"""

import sys
from pathlib import Path

import torch

from etbgm_mixer import sound
from etbgm_mixer.demucs_engine import DemucsSeparator
from tests.mixer.conftest import noise


def main() -> None:
    """The most that this process has held, after noise of so many minutes was separated."""
    torch.set_num_threads(1)
    model, minutes, work = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    separator = DemucsSeparator(model, "cpu")
    separator.load()
    second = noise(1)
    with sound.created(work / "long.wav", 2) as file:
        for _ in range(60 * minutes):
            file.write(second)
    separator.enhance(work / "long.wav", work / "enhanced.wav", lambda _: None)
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak_mb = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    sys.stdout.write(f"{peak_mb:.0f}\n")


if __name__ == "__main__":
    main()
