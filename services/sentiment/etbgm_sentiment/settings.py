"""Settings of the sentiment server."""

from pydantic import Field

from etbgm_kit.serving.settings import ModelSettings
from etbgm_sentiment.choice import Wanted
from etbgm_sentiment.types import Smoothing


class Settings(ModelSettings):
    """ETBGM_SENTIMENT_ENGINE and so on; the other settings are common to all servers."""

    sentiment_engine: Wanted = "auto"
    """`minilm` is the classifier in this package, `transformers` is `classifier_model`.

    `auto` selects `classifier_model` if it is available, otherwise `minilm`.
    """

    classifier_model: str = Field(default="emotion-english-distilroberta", min_length=1)
    """The name of a model installed with `etbgm models pull`, or a folder from `etbgm-sentiment export`."""

    slots: int = Field(default=4, ge=1)
    """Number of calls that compute at the same time; their phrases share batches and threads."""

    classifier_threads: int = Field(default=2, ge=1)
    """Number of threads that classify the phrases of all calls."""

    smoothing: Smoothing = Smoothing.VITERBI
    """Default method for requests that name none; `etbgm-sentiment evaluate` compares the methods."""
