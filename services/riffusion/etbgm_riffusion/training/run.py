"""The folder of a training run: its settings, its state, its curves.

RUN/run.json               what the run is of; another run may not continue in it
RUN/checkpoint.pt          the state after some step, replaced at once
RUN/curve.jsonl            the loss of every step, and of held-out clips at checks
RUN/best.safetensors       the averaged weights of the best check
RUN/samples/, logs/        sounds and TensorBoard's files
RUN/latents-*.npy          encoded clips
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from etbgm_riffusion.dataset.types import DatasetError

BEST = "best.safetensors"


@dataclass(frozen=True)
class Point:
    """A point of the curve: the loss of a step, or that of held-out clips after it."""

    step: int
    loss: float | None = None
    held_out: float | None = None


class RunFolder:
    """A training run at `path`."""

    def __init__(self, path: Path, identity: dict[str, object]) -> None:
        """Opens or creates the run. Raises DatasetError if the folder has a run of something else."""
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        note, text = path / "run.json", json.dumps(identity, indent=1, sort_keys=True, default=str)
        if note.exists() and (before := note.read_text(encoding="utf-8")) != text:
            old, new = json.loads(before), json.loads(text)
            changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
            raise DatasetError(
                f"{path} has a run with other settings: {', '.join(changed)}. "
                "Choose another --run, or delete it"
            )
        note.write_text(text, encoding="utf-8")

    def save(self, state: dict[str, Any]) -> None:
        """Replaces the state."""
        part = self.path / ".checkpoint.part"
        torch.save(state, part)
        part.replace(self._checkpoint)

    def restore(self) -> dict[str, Any] | None:
        """Returns the state; None if there is none."""
        if not self._checkpoint.is_file():
            return None
        state: dict[str, Any] = torch.load(self._checkpoint, map_location="cpu", weights_only=True)
        return state

    def curve(self, last_step: int | None = None) -> list[Point]:
        """Returns the curve; forgets what lies after `last_step`, which will be computed again."""
        path = self.path / "curve.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        points = [Point(**json.loads(line)) for line in lines if line.endswith("}")]
        if last_step is not None:
            points = [point for point in points if point.step <= last_step]
            path.write_text("".join(_line(point) for point in points))
        return points

    def add(self, point: Point) -> None:
        """Appends a point to the curve."""
        with (self.path / "curve.jsonl").open("a") as file:
            file.write(_line(point))

    @property
    def best(self) -> Path:
        """The weights of the best check."""
        return self.path / BEST

    @property
    def _checkpoint(self) -> Path:
        return self.path / "checkpoint.pt"


def _line(point: Point) -> str:
    facts = {"step": point.step, "loss": point.loss, "held_out": point.held_out}
    return json.dumps({name: value for name, value in facts.items() if value is not None}) + "\n"
