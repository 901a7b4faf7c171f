"""Makes a data set of measured sources: emotions, captions, duplicates, splits. A function of the records."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from etbgm_kit.types import Emotion
from etbgm_riffusion.dataset.captions import Template
from etbgm_riffusion.dataset.emotions import Guess, stated
from etbgm_riffusion.dataset.folder import DUPLICATES, DatasetFolder
from etbgm_riffusion.dataset.manifest import Entry
from etbgm_riffusion.dataset.similar import duplicates
from etbgm_riffusion.dataset.types import (
    SPLITS,
    Clip,
    ClipFacts,
    Dataset,
    DatasetError,
    EmotionFrom,
    Setting,
    Source,
    SourceRecord,
    Split,
)
from etbgm_riffusion.diffusion.prompts import Prompts

SURE = 0.5
"""Confidence from which captions name a guessed emotion."""

Origin = tuple[Emotion, float, EmotionFrom]
"""An emotion, the confidence in it, and where it comes from (`Clip.emotion_from`)."""


@dataclass(frozen=True)
class Plan:
    """What is added to the measurements.

    `entries` has what the manifest says about each source; `guess` is called where nobody names an emotion;
    captions are written with `template` and `prompts`; `validation_share` of the pieces is held out;
    `made_by` and `settings` are noted in dataset.json.
    """

    entries: Mapping[str, Entry]
    guess: Callable[[Mapping[str, float]], Guess]
    template: Template
    prompts: Prompts
    validation_share: float
    made_by: str
    settings: dict[str, Setting]


def assemble(folder: DatasetFolder, records: Sequence[SourceRecord], plan: Plan) -> Dataset:
    """Writes the rows of both splits and dataset.json, and puts every image in its place.

    Raises DatasetError if no clips are left.
    """
    pieces = {plan.entries[record.source].piece for record in records if record.clips}
    splits = split_of(pieces, plan.validation_share)
    # A clip that sounds like one of the training clips is not held out.
    ordered = sorted(
        records, key=lambda one: (splits.get(plan.entries[one.source].piece) != "train", one.source)
    )
    clips = [(record, clip) for record in ordered for clip in record.clips]
    if not clips:
        raise DatasetError("no clips are left: all sources are silent or shorter than 5.12 s")
    doubled = duplicates([clip.fingerprint for _, clip in clips])
    origins = {record.source: _origin(record, plan) for record in records if record.clips}
    rows: dict[Split, list[Clip]] = {split: [] for split in SPLITS}
    for (record, clip), double in zip(clips, doubled, strict=True):
        split = splits[plan.entries[record.source].piece]
        folder.move(clip, DUPLICATES if double else split)
        if not double:
            rows[split].append(_row(record, clip, origins[record.source], plan))
    folder.remove_others({clip.name for _, clip in clips})
    kept = Counter(row.source for split in SPLITS for row in rows[split])
    dataset = Dataset(
        made_by=plan.made_by,
        settings=plan.settings,
        sources=tuple(_source(record, plan, splits, kept[record.source]) for record in records),
        clips={split: len(rows[split]) for split in SPLITS},
        duplicates=sum(doubled),
        silent=sum(record.silent for record in records),
    )
    folder.write(dataset, rows)
    return dataset


def split_of(pieces: set[str], validation_share: float) -> dict[str, Split]:
    """Returns the split of each piece, by a hash of its name: more music leaves those that are there.

    If there are two pieces or more, each split has at least one.
    """
    places = {
        piece: int.from_bytes(hashlib.sha256(piece.encode()).digest()[:8]) / 2**64 for piece in sorted(pieces)
    }
    splits: dict[str, Split] = {
        piece: "validation" if place < validation_share else "train" for piece, place in places.items()
    }
    if len(pieces) > 1 and len(set(splits.values())) == 1:
        wanting: Split = "validation" if "train" in splits.values() else "train"
        pick = min if wanting == "validation" else max
        splits[pick(places, key=lambda piece: places[piece])] = wanting
    elif len(pieces) == 1:
        splits = dict.fromkeys(pieces, "train")
    return splits


def _origin(record: SourceRecord, plan: Plan) -> Origin:
    if found := stated(record.source, plan.entries[record.source]):
        emotion, where = found
        return emotion, 1.0, where
    return (*plan.guess(record.heard), "profile")


def _row(record: SourceRecord, clip: ClipFacts, origin: Origin, plan: Plan) -> Clip:
    (emotion, confidence, where), entry = origin, plan.entries[record.source]
    said = emotion if confidence >= SURE else None
    caption = entry.caption or plan.template.caption(record, clip, said, plan.prompts, entry.tags)
    return Clip(
        file_name=f"{clip.name}.png",
        caption=caption,
        emotion=emotion,
        emotion_confidence=confidence,
        emotion_from=where,
        source=record.source,
        piece=entry.piece,
        start_s=clip.start_s,
        licence=entry.rights.licence,
        tempo_bpm=record.tempo_bpm,
        key=record.key,
        level_db=clip.level_db,
    )


def _source(record: SourceRecord, plan: Plan, splits: Mapping[str, Split], clips: int) -> Source:
    entry = plan.entries[record.source]
    return Source(
        source=record.source,
        sha256=record.sha256,
        piece=entry.piece,
        split=splits.get(entry.piece, "train"),
        rights=entry.rights,
        clips=clips,
        duration_s=record.duration_s,
    )
