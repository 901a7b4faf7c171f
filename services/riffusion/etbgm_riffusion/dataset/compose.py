"""Makes a data set of the composer's own music: seven emotions in many styles, owned by whoever runs it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.media.waveform import Samples
from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.dataset.assemble import Plan, assemble
from etbgm_riffusion.dataset.audio import RATE_HZ, cut
from etbgm_riffusion.dataset.captions import read_template
from etbgm_riffusion.dataset.clips import LOUDNESS_LUFS, ClipWriter
from etbgm_riffusion.dataset.emotions import Guess
from etbgm_riffusion.dataset.folder import DatasetFolder, short_name
from etbgm_riffusion.dataset.layout import Layout
from etbgm_riffusion.dataset.manifest import Entry
from etbgm_riffusion.dataset.report import write_report
from etbgm_riffusion.dataset.types import ClipFacts, Dataset, DatasetError, Rights, SourceRecord
from etbgm_riffusion.diffusion import prompts
from etbgm_riffusion.diffusion.types import CLIP
from etbgm_riffusion.types import Piece

_MAJOR = ("lydian", "ionian", "mixolydian")

OnPiece = Callable[[str], None]
"""Called with the name of each piece when it is done; may raise to stop."""


@dataclass(frozen=True)
class ComposeSettings:
    """What is composed: every emotion in `styles` with each of `random_seeds`, `duration_s` each.

    `owner` is who runs this: the composer's music is theirs.
    """

    owner: str
    styles: tuple[str, ...] = tuple(STYLES)
    random_seeds: tuple[int, ...] = (1, 2)
    duration_s: float = 32.0


def compose_dataset(
    out: Path, settings: ComposeSettings, layout: Layout, composer: ComposerEngine, on_piece: OnPiece
) -> Dataset:
    """Composes, or continues to compose, the data set `out`; blocks. `composer` must be loaded.

    Clips begin on bar lines of the score, and captions contain the words that prompts have in production.
    Raises DatasetError for an unknown style, or if `out` is in use or something else; BrokenTable.
    """
    if unknown := sorted(set(settings.styles) - STYLES.keys()):
        raise DatasetError(f"there is no style {', '.join(unknown)}; there are {', '.join(STYLES)}")
    folder = DatasetFolder(out)
    facts = (layout.stereo, settings.duration_s, composer.info().revision)
    maker = _Maker(composer, ClipWriter(layout.stereo), folder, revision_of(__name__, facts=facts))
    table = prompts.load(layout.prompts_file)
    chosen = product(settings.random_seeds, settings.styles, Emotion)
    pieces = {f"{emotion}/{style}-{seed}": _Piece(emotion, style, seed) for seed, style, emotion in chosen}
    rights = Rights(licence="own", owner=settings.owner, commercial_use=True)
    plan = Plan(
        entries={
            name: Entry(rights, one.theme, one.emotion, "", table.styles.get(one.style, one.style))
            for name, one in pieces.items()
        },
        guess=_no_guess,
        template=read_template(layout.captions),
        prompts=table,
        validation_share=layout.validation_share,
        made_by="etbgm-riffusion dataset compose",
        settings={"stereo": layout.stereo, "duration_s": settings.duration_s, "revision": maker.revision},
    )
    with folder.claimed():
        records = []
        for name, one in pieces.items():
            records.append(maker.record(name, one.of(settings.duration_s)))
            on_piece(name)
        dataset = assemble(folder, records, plan)
        write_report(folder, layout.previews)
    return dataset


class _Piece(NamedTuple):
    emotion: Emotion
    style: str
    seed: int

    @property
    def theme(self) -> str:
        """Pieces of one style and random seed share themes, so they are in one split."""
        return f"{self.style}-{self.seed}"

    def of(self, duration_s: float) -> Piece:
        span = EmotionSpan(Span(0.0, duration_s), self.emotion, 0.9)
        return Piece(EmotionTimeline(duration_s, (span,)), (), self.seed, self.style)


@dataclass(frozen=True)
class _Maker:
    """Composes pieces and cuts them; `revision` identifies how."""

    composer: ComposerEngine
    writer: ClipWriter
    folder: DatasetFolder
    revision: str

    def record(self, name: str, piece: Piece) -> SourceRecord:
        """Returns the record of a piece; makes its clips unless they are there."""
        if known := self.folder.record(name, self.revision, self.revision):
            return known
        score = self.composer.compose(piece).score
        section = score.sections[0]
        tonic, mode = str(section.key).split()
        record = SourceRecord(
            source=name,
            sha256=self.revision,
            settings=self.revision,
            duration_s=score.duration_s,
            loudness_lufs=LOUDNESS_LUFS,
            tempo_bpm=round(section.tempo_bpm, 1),
            key=f"{tonic} {'major' if mode in _MAJOR else 'minor'}",
            tags={},
            heard={},
            clips=tuple(self._clips(name, piece, score)),
            silent=0,
        )
        self.folder.write_record(record)
        return record

    def _clips(self, name: str, piece: Piece, score: Score) -> Iterator[ClipFacts]:
        starts = bar_starts(score)
        places = [round(start_s * RATE_HZ) for start_s in starts]
        clips = cut(_played(self.composer, piece), places, self.writer.samples)
        for number, (start_s, clip) in enumerate(zip(starts, clips, strict=True)):
            path = self.folder.path / "train" / f"{short_name(name)}-{number:04}.png"
            self.folder.clear(path.stem)
            onsets_per_s = _onsets_per_s(score, Span(start_s, start_s + CLIP / 100))
            yield self.writer.write(clip, path, start_s, onsets_per_s, 10 ** (LOUDNESS_LUFS / 20))


def bar_starts(score: Score) -> list[float]:
    """Returns where clips begin: at bar lines, the first one at least a clip after the last clip's start."""
    length_s = CLIP / 100
    starts: list[float] = []
    for bar in score.bars:
        if bar.start_s + length_s <= score.duration_s and (
            not starts or bar.start_s >= starts[-1] + 0.75 * length_s
        ):
            starts.append(bar.start_s)
    return starts


def _played(composer: ComposerEngine, piece: Piece) -> Iterator[Samples]:
    composed = composer.compose(piece)
    whole = Span(0.0, composed.score.duration_s)
    for parts in composer.sound(composed, whole, RATE_HZ, lambda _: None):
        yield parts[0]


def _onsets_per_s(score: Score, span: Span) -> float:
    """Returns the onsets per second; notes within 30 ms count once."""
    times: Sequence[float] = sorted(
        note.start_s for note in score.notes if span.start_s <= note.start_s < span.end_s
    )
    apart = np.diff(times, prepend=-1.0)
    return float((apart > 0.03).sum() / span.duration_s)


def _no_guess(_: object) -> Guess:
    raise AssertionError("the composer knows its emotions")
