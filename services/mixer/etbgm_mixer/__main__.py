"""Serves mixing: `python -m etbgm_mixer`."""

from etbgm_kit.serving.process import run
from etbgm_kit.serving.settings import read
from etbgm_mixer.assembly import build
from etbgm_mixer.settings import Settings


def main() -> None:
    """Reads the settings from the environment and serves until SIGTERM."""
    run(lambda: build(read(Settings)))


if __name__ == "__main__":
    main()
