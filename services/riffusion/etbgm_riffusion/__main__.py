"""Serves music: `python -m etbgm_riffusion`."""

from etbgm_kit.serving.process import run
from etbgm_kit.serving.settings import read
from etbgm_riffusion.assembly import build
from etbgm_riffusion.settings import Settings


def main() -> None:
    """Reads the settings from the environment and serves until SIGTERM."""
    run(lambda: build(read(Settings)))


if __name__ == "__main__":
    main()
