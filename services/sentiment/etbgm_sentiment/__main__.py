"""Serves sentiment analysis: `python -m etbgm_sentiment`."""

from etbgm_kit.serving.process import run
from etbgm_kit.serving.settings import read
from etbgm_sentiment.assembly import build
from etbgm_sentiment.settings import Settings


def main() -> None:
    """Reads the settings from the environment and serves until SIGTERM."""
    run(lambda: build(read(Settings)))


if __name__ == "__main__":
    main()
