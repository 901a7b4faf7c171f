"""`etbgm models` as a process, with a catalogue and a models folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from etbgm_cli import main; main()"
)
"""A process that a shell began in the background, as tests may be, would ignore SIGINT."""


class ModelsCommand:
    """The command, its models folder, its catalogue, and its environment."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.own = folder / "models", folder / "own.toml"
        self._environment = {
            "ETBGM_CATALOGUE": str(self.own),
            "ETBGM_MODELS_DIR": str(self.folder),
            "HF_HOME": str(folder / "home"),
            **environment,
        }

    def start(self, *arguments: str, command: str = COMMAND, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", command, "models", *arguments],
            env={**os.environ, **self._environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, list[str], list[str]]:
        """Exit status, lines of output, lines of errors."""
        process = self.start(*arguments, **environment)
        output, errors = process.communicate(timeout=60)
        return process.returncode, output.splitlines(), errors.splitlines()
