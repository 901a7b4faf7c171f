"""`etbgm-riffusion`, killed after a step of training, as the kernel kills what takes too much memory.

usage: python -m tests.riffusion.full.killed STEP train-lora ...
"""

import os
import signal
import sys

from etbgm_riffusion.cli import app
from etbgm_riffusion.training.run import Point, RunFolder

LAST = int(sys.argv.pop(1))
add = RunFolder.add


def add_and_die(run: RunFolder, point: Point) -> None:
    """Notes the point; the process does not survive that of step LAST."""
    add(run, point)
    if point.step == LAST:
        os.kill(os.getpid(), signal.SIGKILL)


RunFolder.add = add_and_die  # type: ignore[method-assign]
app()
