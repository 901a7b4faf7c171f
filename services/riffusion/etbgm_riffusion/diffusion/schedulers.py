"""Which schedulers a model folder may name: those that the batcher can step."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffusers import SchedulerMixin

log = logging.getLogger(__name__)

STEPPABLE = (
    "DDIMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "UniPCMultistepScheduler",
)
"""Schedulers that call the model once for each step, on latents that are not scaled, and draw no noise."""

REPLACEMENT = "DPMSolverMultistepScheduler"
"""DPM-Solver++ (Lu et al. 2022): 20 to 30 steps suffice."""


def steppable(scheduler: "SchedulerMixin") -> "SchedulerMixin":
    """Returns the scheduler, or DPM-Solver++ with the same noise schedule if the batcher cannot step it."""
    import diffusers

    name = type(scheduler).__name__
    draws = str(scheduler.config.get("algorithm_type", "")).startswith("sde")
    if name in STEPPABLE and not draws:
        return scheduler
    log.info("the model's scheduler cannot be stepped here", extra={"scheduler": name, "used": REPLACEMENT})
    config = {key: value for key, value in scheduler.config.items() if not draws or key != "algorithm_type"}
    return getattr(diffusers, REPLACEMENT).from_config(config)


def begin_at(scheduler: "SchedulerMixin", index: int) -> None:
    """Tells the scheduler that its first step is number `index` of its timesteps; DDIM need not know."""
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(index)
