"""Settings of the sentiment server."""

from pydantic import Field

from etbgm_kit.serving.settings import ModelSettings
from etbgm_sentiment.choice import Wanted
from etbgm_sentiment.types import Smoothing


class Settings(ModelSettings):
    """ETBGM_SENTIMENT_ENGINE and so on; the rest is common to all servers."""

    sentiment_engine: Wanted = "auto"
    """`minilm` is the classifier in this package, `transformers` is `classifier_model`.

    `auto` takes `classifier_model` when it is there, else `minilm`.
    """

    classifier_model: str = Field(default="emotion-english-distilroberta", min_length=1)
    """What `etbgm models pull` installed, by name, or a folder that `etbgm-sentiment export` wrote."""

    slots: int = Field(default=4, ge=1)
    """Calls that compute at the same time; their phrases share batches, and the threads."""

    classifier_threads: int = Field(default=2, ge=1)
    """Threads that classify the phrases of all calls."""

    smoothing: Smoothing = Smoothing.VITERBI
    """Method when a request names none; `etbgm-sentiment evaluate` compares them."""
