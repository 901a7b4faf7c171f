"""The results of an evaluation, and the page that shows and plays them."""

import html
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel

from etbgm_kit.types import Emotion
from etbgm_riffusion.dataset.report import STYLE, table
from etbgm_riffusion.dataset.types import Split

PAGE = "index.html"


class Way(BaseModel):
    """What was measured in the music made in one way."""

    mfcc_distance: float
    spectral_distance_db: float
    worst_seam: float
    worst_repetition: float
    features: dict[str, dict[str, float]]
    """By emotion: means of FEATURES."""


class Evaluation(BaseModel):
    """Results without and with the adapter, and of the composer's music that both start from."""

    adapter: str
    weight: float
    split: Split
    pairs: int
    reference_clips: int
    seed: Way
    without: Way
    with_adapter: Way


def write_page(found: Evaluation, emotions: Sequence[Emotion], out: Path) -> None:
    """Writes a page with the results and players; `emotions` are those of the pairs, in order."""
    (out / PAGE).write_text("".join(_page(found, emotions)), encoding="utf-8")


def _page(found: Evaluation, emotions: Sequence[Emotion]) -> Iterator[str]:
    name = html.escape(found.adapter)
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title><style>{STYLE}</style>"
    yield f"<h1>{name}, weight {found.weight:g}</h1><p>Pairs of 10.24 s: {found.pairs}, with captions of "
    yield f"{found.split} clips, against {found.reference_clips} clips of the data set. "
    yield "The composer's music is what both start from.</p>"
    ways = (found.seed, found.without, found.with_adapter)
    header = ("", "composer", "without the adapter", "with it")
    rows = [
        ("distance of MFCCs (Fréchet)", *(f"{way.mfcc_distance:.1f}" for way in ways)),
        ("distance of spectra, dB", *(f"{way.spectral_distance_db:.2f}" for way in ways)),
        ("worst seam (0: none)", *(f"{way.worst_seam:.2f}" for way in ways)),
        ("worst repetition after 5.12 s (1: the same)", *(f"{way.worst_repetition:.2f}" for way in ways)),
    ]
    yield table(header, rows) + "<h2>Listen</h2>"
    heads = "".join(f"<th>{each}" for each in ("emotion", *header[1:]))
    yield f"<table><tr>{heads}"
    for number, emotion in enumerate(emotions):
        players = "".join(
            f'<td><audio controls preload=none src="sounds/{number:03}-{way}.flac"></audio>'
            for way in ("seed", "without", "with")
        )
        yield f"<tr><td>{emotion}{players}\n"
    yield "</table><h2>Emotions</h2>"
    features = list(next(iter(found.seed.features.values())))
    cells = [
        (emotion, way_name, *(f"{way.features[emotion][name]:.2f}" for name in features))
        for emotion in found.seed.features
        for way_name, way in zip(header[1:], ways, strict=True)
    ]
    yield table(("emotion", "way", *features), cells) + "</html>\n"
