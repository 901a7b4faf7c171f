"""Serves sentiment analysis: `python -m etbgm_sentiment`."""

from etbgm_kit.server import run
from etbgm_sentiment.service import build
from etbgm_sentiment.settings import Settings


def main() -> None:
    """Reads the settings from the environment and serves until SIGTERM."""
    settings = Settings()
    run(lambda: build(settings))


if __name__ == "__main__":
    main()
