"""Maps a classifier's labels to the seven emotions."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files

from etbgm_kit.types import Emotion


class UnknownLabels(ValueError):
    """Labels without a known emotion."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(
            f"no emotion is known for: {', '.join(labels)}; say which with --map label=emotion for each"
        )
        self.labels = tuple(labels)


def emotions_of(labels: Sequence[str], given: Mapping[str, Emotion] | None = None) -> tuple[Emotion, ...]:
    """Returns the emotion of each label from `given`, or else from labels.toml.

    Raises:
        UnknownLabels: neither contains a label.
    """
    known = _table() | {plain(label): emotion for label, emotion in (given or {}).items()}
    if unknown := [label for label in labels if plain(label) not in known]:
        raise UnknownLabels(unknown)
    return tuple(known[plain(label)] for label in labels)


def plain(label: str) -> str:
    """Normalises to lower case with underscores for blanks and hyphens: "No emotion" is "no_emotion"."""
    return re.sub(r"[\s-]+", "_", label.strip()).lower()


def _table() -> dict[str, Emotion]:
    table = tomllib.loads((files("etbgm_sentiment") / "labels.toml").read_text(encoding="utf-8"))
    return {label: Emotion(emotion) for emotion, labels in table.items() for label in labels}
