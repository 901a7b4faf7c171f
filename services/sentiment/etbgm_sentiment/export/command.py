"""Implements `etbgm-sentiment export`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from etbgm_kit.types import Emotion
from etbgm_sentiment.export import huggingface, own
from etbgm_sentiment.export.folder import write_folder
from etbgm_sentiment.export.huggingface import Origin
from etbgm_sentiment.export.parity import SENTENCES, Parity
from etbgm_sentiment.export.types import ExportError
from etbgm_sentiment.goemotions import read_rows, single_label, split_held_out
from etbgm_sentiment.model_folder import Precision


def read_mapping(pairs: Sequence[str]) -> dict[str, Emotion]:
    """Returns the emotion of each label from pairs "label=emotion".

    Raises:
        ExportError: a pair has another form.
    """
    known = ", ".join(Emotion)
    given = {}
    for pair in pairs:
        label, _, emotion = pair.rpartition("=")
        if not label or emotion not in list(Emotion):
            raise ExportError(f"--map {pair}: must be label=emotion, where emotion is one of {known}")
        given[label] = Emotion(emotion)
    return given


def export_own(
    folder: Path, data: Sequence[Path], precision: Precision, out: Path, sentences: Sequence[str] | None
) -> Parity:
    """Exports a model from `train`, calibrated and, without `sentences`, compared on held-out rows."""
    held_out = [row for path in data for row in split_held_out(read_rows(path))[1]]
    exportable = own.load(folder, held_out, precision)
    return write_folder(exportable, out, sentences or [row.text for row in single_label(held_out)])


def export_any(
    origin: Origin,
    given: Mapping[str, Emotion],
    precision: Precision,
    out: Path,
    sentences: Sequence[str] | None,
) -> Parity:
    """Exports any sequence classifier."""
    return write_folder(huggingface.load(origin, given, precision), out, sentences or SENTENCES)
