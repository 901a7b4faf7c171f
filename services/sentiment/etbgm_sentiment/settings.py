"""Settings of the sentiment server."""

from pydantic import Field

from etbgm_kit.serving.settings import ModelSettings
from etbgm_sentiment.choice import BUILT_IN
from etbgm_sentiment.types import Smoothing


class Settings(ModelSettings):
    """ETBGM_CLASSIFIER_MODEL and so on; the other settings are common to all servers."""

    classifier_model: str = Field(default=BUILT_IN, min_length=1)
    """The name of a model installed with `etbgm models pull`, or a folder from `etbgm-sentiment export`."""

    slots: int = Field(default=4, ge=1)
    """Number of calls that compute at the same time; their phrases share batches and threads."""

    classifier_threads: int = Field(default=2, ge=1)
    """Number of threads that classify the phrases of all calls."""

    smoothing: Smoothing = Smoothing.VITERBI
    """Default method for requests that name none; `etbgm-sentiment evaluate` compares the methods."""
