"""What a training run needs to go on after it was interrupted, in one file that is replaced as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run in `folder`; `run` describes it, so that another run does not continue it."""

    folder: Path
    run: Mapping[str, object]
    model: nn.Module
    optimizer: AdamW
    schedule: LambdaLR

    @property
    def _path(self) -> Path:
        return self.folder / CHECKPOINT

    def save(self, step: int, losses: list[float]) -> None:
        """Writes the state after `step` steps and the losses since the last check."""
        state = {
            "run": dict(self.run),
            "step": step,
            "losses": losses,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": torch.get_rng_state(),
        }
        part = self._path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self._path)

    def restore(self) -> tuple[int, list[float]]:
        """Restores the state of an interrupted run; returns its step and losses, or 0 and none."""
        if not self._path.is_file():
            return 0, []
        state: dict[str, Any] = torch.load(self._path, weights_only=True)
        if state["run"] != dict(self.run):
            return 0, []
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        return state["step"], state["losses"]

    def remove(self) -> None:
        """Deletes the file: the run is complete."""
        self._path.unlink(missing_ok=True)
