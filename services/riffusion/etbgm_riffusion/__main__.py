"""Serves music: `python -m etbgm_riffusion`."""

from etbgm_kit.server import run
from etbgm_riffusion.service import build
from etbgm_riffusion.settings import Settings


def main() -> None:
    """Reads the settings from the environment and serves until SIGTERM."""
    settings = Settings()
    run(lambda: build(settings))


if __name__ == "__main__":
    main()
