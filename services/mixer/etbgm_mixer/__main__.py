"""Serves mixing: `python -m etbgm_mixer`."""

from etbgm_kit.server import run
from etbgm_mixer.service import build
from etbgm_mixer.settings import Settings


def main() -> None:
    """Reads the settings from the environment and serves until SIGTERM."""
    settings = Settings()
    run(lambda: build(settings))


if __name__ == "__main__":
    main()
