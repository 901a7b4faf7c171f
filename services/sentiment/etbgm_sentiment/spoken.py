"""Makes written text resemble recognised speech, for training and evaluation."""

import random
import re
from collections.abc import Sequence

_NOT_SPOKEN = re.compile(r"[^\w\s']|_")
_NAMES = ("Anna", "Ben", "Carlos", "Dana", "Emily", "Frank", "Grace", "Henry", "Jack", "Kate", "Leo", "Maria")


def without_punctuation(text: str) -> str:
    """Reduces text to lower case, words and apostrophes, as a recogniser writes it."""
    return " ".join(_NOT_SPOKEN.sub(" ", text).lower().split())


def with_wrong_words(text: str, share: float, vocabulary: Sequence[str], rng: random.Random) -> str:
    """Replaces each word by a random one with probability `share`, like a recogniser's errors."""
    words = text.split()
    return " ".join(rng.choice(vocabulary) if rng.random() < share else word for word in words)


def with_names(text: str, rng: random.Random) -> str:
    """Replaces the data set's anonymous "[NAME]", because real speech contains names."""
    return text.replace("[NAME]", rng.choice(_NAMES))


def spoken(text: str, vocabulary: Sequence[str], rng: random.Random) -> str:
    """Fills in names, removes punctuation and makes a tenth of the words wrong."""
    return with_wrong_words(without_punctuation(with_names(text, rng)), 0.1, vocabulary, rng)
