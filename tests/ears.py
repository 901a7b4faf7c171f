"""Figures of `make bench-ears`: what the chain hears, against known truth.

usage: ETBGM_TEST_DATA=FOLDER python -m tests.ears

Prints one table. Each row has the value that the project aims at.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """A measured value and the limit that it should keep, if any."""

    what: str
    value: float
    aim: tuple[Literal["≤", "≥"], float] | None = None

    @property
    def line(self) -> str:
        """A row of a Markdown table."""
        if self.aim is None:
            return f"| {self.what} | {self.value:.3f} | |"
        sign, limit = self.aim
        kept = self.value <= limit if sign == "≤" else self.value >= limit
        return f"| {self.what} | {self.value:.3f} | {sign} {limit:g}{'' if kept else ' **missed**'} |"


def figures(data: Path) -> Iterator[Figure]:
    """Yields the figures of all services."""
    from tests.mixer import bench_ears as mixer
    from tests.sentiment import bench_ears as sentiment
    from tests.stt import bench_ears as stt

    separations = list(mixer.separations(data))
    yield from mixer.figures(separations)
    yield from stt.figures(data, separations)
    yield from sentiment.figures(data)


def main() -> int:
    """Prints the table; returns the exit status."""
    data = os.environ.get("ETBGM_TEST_DATA")
    if not data:
        sys.stderr.write("ETBGM_TEST_DATA must name the folder of test data\n")
        return 2
    sys.stdout.write("| | measured | aim |\n|---|---|---|\n")
    for figure in figures(Path(data)):
        sys.stdout.write(figure.line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
