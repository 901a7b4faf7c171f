"""Serves the gateway: `python -m etbgm_gateway`."""

from etbgm_gateway.service import build
from etbgm_gateway.settings import Settings
from etbgm_kit.server import run


def main() -> None:
    """Reads the settings from the environment and serves until SIGTERM."""
    settings = Settings()
    run(lambda: build(settings))


if __name__ == "__main__":
    main()
