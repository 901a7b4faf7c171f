"""The composer as a music engine: composes once per piece, renders cue by cue."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.models.catalogue import ingredient
from etbgm_kit.types import Bar, EngineInfo, Ingredient, Span
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.midi import to_midi
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.sound.installed import find_soundfont, find_synth
from etbgm_riffusion.composer.sound.render import render, roles_of
from etbgm_riffusion.composer.sound.synth import Parts, Synth
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.engine import Adapters, OnProgress
from etbgm_riffusion.flac import writing
from etbgm_riffusion.types import CueRequest, Generated, Piece, Section, StyleInfo

_PIECES_KEPT = 4
"""Number of cached scores: the variants of one job, whose cues arrive interleaved."""

_NO_DIFFUSION = "The diffusion settings had no effect: the composer made this music without Riffusion."


@dataclass(frozen=True, slots=True)
class Composed:
    """A composed piece: its score, its MIDI file and its picture."""

    score: Score
    midi: bytes
    picture: bytes

    def tell(
        self,
        cue: Span,
        notes: tuple[str, ...],
        stems: tuple[str, ...] = (),
        ingredients: tuple[Ingredient, ...] = (),
    ) -> Generated:
        """Returns what an engine reports about the piece and a cue of it."""
        bars = tuple(
            Bar(Span(bar.start_s, bar.end_s), bar.beats)
            for bar in self.score.bars
            if cue.start_s <= bar.start_s < cue.end_s
        )
        sections = tuple(
            Section(planned.span, planned.emotion, str(planned.key), planned.tempo_bpm, len(planned.bars))
            for planned in self.score.sections
        )
        return Generated(self.midi, self.picture, sections, bars, self.score.style, notes, stems, ingredients)


class ComposerEngine:
    """Composes with `compose` and plays through a SoundFont."""

    adapters: Adapters | None = None

    def __init__(self, soundfont: Path | None) -> None:
        """`soundfont`: a General MIDI .sf2 file; None selects an installed one."""
        self._named = soundfont
        self._synth: Synth
        self._info: EngineInfo
        self._composed = lru_cache(_PIECES_KEPT)(_compose)
        self._composing = Lock()

    def load(self) -> None:
        """Finds and tests the SoundFont and the synthesiser. Raises RuntimeError naming what is missing."""
        soundfont = find_soundfont(self._named)
        self._synth = find_synth(soundfont)
        self._synth.player([()], 48000).close()
        self._info = EngineInfo(
            name="composer",
            revision=revision_of(__name__, facts=(self._synth.name, sha256_of(soundfont))),
            device="cpu",
            ingredients=(ingredient(soundfont.resolve().stem),),
        )

    def close(self) -> None:
        """Does nothing: no work runs between calls."""

    def info(self) -> EngineInfo:
        """Describes the engine; its revision covers the composer's code, synthesiser and SoundFont."""
        return self._info

    def styles(self) -> tuple[StyleInfo, ...]:
        """Returns all of `STYLES`."""
        return tuple(StyleInfo(style.name, style.description) for style in STYLES.values())

    def generate(self, request: CueRequest, music: Path, on_progress: OnProgress) -> Generated:
        """See `MusicEngine.generate`."""
        on_progress(0.0)
        composed = self.compose(request.piece)
        stems = roles_of(composed.score) if request.stems else ()
        paths = [music, *(music.with_name(f"{role}.flac") for role in stems)]
        with writing(paths, request.sample_rate_hz) as write:
            for parts in self.sound(composed, request.cue, request.sample_rate_hz, on_progress, stems):
                write(parts)
        notes = self.notes + ((_NO_DIFFUSION,) if request.diffusion else ())
        return composed.tell(request.cue, notes, stems)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user that apply to all sound, such as that a fallback synthesiser was used."""
        return self._synth.notes

    def compose(self, piece: Piece) -> Composed:
        """Composes the piece; the last few pieces are cached."""
        with self._composing:  # the cues of a piece arrive together: one call composes, the others wait
            return self._composed(piece)

    def sound(
        self,
        composed: Composed,
        cue: Span,
        sample_rate_hz: int,
        on_progress: OnProgress,
        roles: Sequence[str] = (),
    ) -> Iterator[Parts]:
        """See `render`."""
        return render(composed.score, cue, self._synth, sample_rate_hz, on_progress, roles)


def _compose(piece: Piece) -> Composed:
    from etbgm_riffusion.composer.picture import to_png

    score = compose(piece)
    return Composed(score, to_midi(score), to_png(score))
