"""Describes a data set, and finds what is wrong with it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from etbgm_kit.types import Emotion
from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.types import SPLITS, Clip, Split
from etbgm_riffusion.diffusion.types import CLIP, ROWS

_CLIPPED_SHARE = 0.002
"""Share of black pixels, magnitudes at or above the peak, from which an image counts as clipped."""

_EMPTY_SHARE = 0.98
"""Share of white pixels from which an image counts as empty."""

_OFF_CENTRE = 0.2
"""An image is off centre if its energy's middle in time is further from the middle than this share of it."""

_RARE = 0.2
"""An emotion is rare if it has less than this share of what it would have if all had the same."""


@dataclass(frozen=True)
class Stats:
    """Counts of clips by emotion, source, licence and split; minutes of sound; words in captions."""

    clips: dict[Split, int]
    minutes: float
    emotions: dict[Emotion, int]
    guessed: int
    licences: dict[str, int]
    pieces: int
    caption_words: tuple[int, int]
    """Fewest and most."""


@dataclass(frozen=True)
class Finding:
    """Something wrong; `is_error` if training would fail or learn rubbish."""

    where: str
    what: str
    is_error: bool = True


def stats_of(folder: DatasetFolder) -> Stats:
    """Counts a finished data set. Raises DatasetError."""
    folder.dataset()
    rows = {split: folder.rows(split) for split in SPLITS}
    clips = [clip for split in SPLITS for clip in rows[split]]
    words = [len(clip.caption.split()) for clip in clips] or [0]
    emotions = Counter(clip.emotion for clip in clips)
    return Stats(
        clips={split: len(rows[split]) for split in SPLITS},
        minutes=len(clips) * CLIP / 100 / 60,
        emotions={emotion: emotions[emotion] for emotion in Emotion},
        guessed=sum(clip.emotion_from == "profile" for clip in clips),
        licences=dict(Counter(clip.licence for clip in clips).most_common()),
        pieces=len({clip.piece for clip in clips}),
        caption_words=(min(words), max(words)),
    )


def findings_in(folder: DatasetFolder) -> Iterator[Finding]:
    """Yields what is wrong: rights, rows, broken, clipped, empty and off-centre images, balance.

    Raises DatasetError if the data set cannot be read at all.
    """
    dataset = folder.dataset()
    licences = {source.source: source.rights.licence for source in dataset.sources}
    pieces: dict[str, Split] = {}
    for split in SPLITS:
        rows = folder.rows(split)
        if len(rows) != dataset.clips[split]:
            yield Finding(f"{split}/metadata.jsonl", f"has {len(rows)} rows, not {dataset.clips[split]}")
        for clip in rows:
            yield from _row_findings(split, clip, licences, pieces)
            yield from _image_findings(folder.image(split, clip), f"{split}/{clip.file_name}")
    yield from _balance(folder)


def _row_findings(
    split: Split, clip: Clip, licences: dict[str, str], pieces: dict[str, Split]
) -> Iterator[Finding]:
    where = f"{split}/{clip.file_name}"
    if licences.get(clip.source) != clip.licence:
        yield Finding(where, f"dataset.json does not list {clip.source} with the licence {clip.licence}")
    if pieces.setdefault(clip.piece, split) != split:
        yield Finding(where, f"the piece {clip.piece} is in both splits")
    if not clip.caption.strip():
        yield Finding(where, "has no caption")


def _image_findings(path: Path, where: str) -> Iterator[Finding]:
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else "is broken"
        yield Finding(where, reason)
        return
    if pixels.shape[:2] != (ROWS, CLIP):
        yield Finding(where, f"is {pixels.shape[1]} × {pixels.shape[0]} pixels, not {CLIP} × {ROWS}")
        return
    level = 255 - pixels[..., 1:].astype(np.float32).mean(axis=2)
    if (level == 0).mean() > _EMPTY_SHARE:
        yield Finding(where, "is empty")
    elif (clipped := float((pixels[..., 1:] == 0).mean())) > _CLIPPED_SHARE:
        yield Finding(where, f"is clipped: {clipped:.1%} of its pixels are at the peak", False)
    energy = (level**4).sum(axis=0)
    middle = float((energy * (np.arange(CLIP) + 0.5)).sum() / max(energy.sum(), 1e-9)) / CLIP
    if abs(middle - 0.5) > _OFF_CENTRE:
        yield Finding(where, f"is off centre: most of its sound is around {middle * 5.12:.1f} s", False)


def _balance(folder: DatasetFolder) -> Iterator[Finding]:
    stats = stats_of(folder)
    total = sum(stats.emotions.values())
    if not stats.clips["validation"]:
        yield Finding("validation", "has no clips: there is only one piece, so nothing is held out", False)
    for emotion, count in stats.emotions.items():
        if count < _RARE * total / len(Emotion):
            yield Finding("emotions", f"{emotion} has {count} of {total} clips", False)
