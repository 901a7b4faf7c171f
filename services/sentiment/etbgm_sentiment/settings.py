"""Settings of the sentiment server."""

from pathlib import Path

from pydantic import Field

from etbgm_kit.settings import ServiceSettings
from etbgm_sentiment.onnx_classifier import MODEL_FOLDER
from etbgm_sentiment.types import Smoothing


class Settings(ServiceSettings):
    """ETBGM_CLASSIFIER_FOLDER and so on; the rest is common to all servers."""

    classifier_folder: Path = MODEL_FOLDER
    """Model folder as `etbgm-sentiment export` writes it; the one in this package by default."""

    classifier_threads: int = Field(default=2, ge=1)
    """Threads that classify one call's phrases."""

    smoothing: Smoothing = Smoothing.VITERBI
    """Method when a request names none; `etbgm-sentiment evaluate` compares them."""
