"""Serves the gateway: `python -m etbgm_gateway`."""

from etbgm_gateway.assembly import build
from etbgm_gateway.settings import Settings
from etbgm_kit.serving.process import run
from etbgm_kit.serving.settings import read


def main() -> None:
    """Reads the settings from the environment and serves until SIGTERM."""
    run(lambda: build(read(Settings)))


if __name__ == "__main__":
    main()
