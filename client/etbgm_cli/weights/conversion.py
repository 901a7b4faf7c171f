"""Conversion of fetched weights, by the services' own commands, to the formats that their engines load."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etbgm_kit.models.catalogue import Entry


@dataclass(frozen=True)
class Conversion:
    """A conversion command: `arguments(source folder, new folder)` follow `python -m`.

    `modules` must be importable; `extra` is the requirement that installs them with pip.
    """

    arguments: Callable[[Path, Path], list[str]]
    modules: tuple[str, ...]
    extra: str


def conversion_of(entry: Entry) -> Conversion | None:
    """The conversion that the model needs, or None."""
    match entry.convert:
        case "ctranslate2":
            return Conversion(
                lambda source, folder: ["etbgm_stt.convert", str(source), str(folder)],
                ("etbgm_stt", "torch", "transformers"),
                "etbgm-stt[convert]",
            )
        case "onnx":
            return Conversion(
                lambda source, folder: _export(entry, source, folder),
                ("etbgm_sentiment", "torch", "transformers", "onnx"),
                "etbgm-sentiment[export]",
            )
    return None


def _export(entry: Entry, source: Path, folder: Path) -> list[str]:
    facts = {
        "--name": entry.name,
        "--source": str(entry.source),
        "--licence": entry.licence,
        "--language": "en",
    }
    options = [text for option in facts.items() for text in option]
    return ["etbgm_sentiment.cli", "export", str(source), "--out", str(folder), *options]
