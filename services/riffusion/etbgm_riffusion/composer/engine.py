"""The composer as a music engine: composes once per piece, renders cue by cue."""

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
import soundfile

from etbgm_kit.types import EngineInfo, Ingredient
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.midi import to_midi
from etbgm_riffusion.composer.picture import to_png
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.sound.installed import find_soundfont, find_synth
from etbgm_riffusion.composer.sound.render import render, roles_of
from etbgm_riffusion.composer.sound.synth import Synth
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.engine import Report
from etbgm_riffusion.types import CueRequest, Generated, Piece, Section, StyleInfo

MUSIC_REVISION = 6
"""Raise it with every change that can change a note or a sample."""

_SOUNDS = {"FluidR3_GM.sf2": Ingredient("FluidR3_GM", "Frank Wen, 2000-2008", "MIT", True)}
"""Known SoundFonts by the name of their file."""

_PIECES_KEPT = 4
"""Scores remembered: the variants of one job, whose cues arrive mixed."""

_FULL_SCALE = 2**31 - 2**8
"""24-bit full scale in the upper bits of int32, which is what soundfile takes."""


@dataclass(frozen=True, slots=True)
class _Composed:
    score: Score
    midi: bytes
    picture: bytes


class ComposerEngine:
    """Composes with `compose`, sounds through a SoundFont."""

    def __init__(self, soundfont: Path | None) -> None:
        """`soundfont`: a General MIDI .sf2 file; an installed one when None."""
        self._named = soundfont
        self._synth: Synth
        self._info: EngineInfo
        self._composed = lru_cache(_PIECES_KEPT)(_compose)
        self._composing = Lock()

    def load(self) -> None:
        """Finds SoundFont and synthesiser and tries them. RuntimeError naming what is missing."""
        soundfont = find_soundfont(self._named)
        self._synth = find_synth(soundfont)
        self._synth.player([()], 48000).close()
        with soundfont.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._info = EngineInfo(
            name="composer",
            revision=f"{MUSIC_REVISION}-{self._synth.name}-{digest[:12]}",
            device="cpu",
            ingredients=(_sounds(soundfont),),
        )

    def info(self) -> EngineInfo:
        """The composer's revision, the synthesiser and the SoundFont's hash."""
        return self._info

    def styles(self) -> tuple[StyleInfo, ...]:
        """All of `STYLES`."""
        return tuple(StyleInfo(style.name, style.description) for style in STYLES.values())

    def generate(self, request: CueRequest, music: Path, report: Report) -> Generated:
        """See `MusicEngine.generate`."""
        report(0.0)
        with self._composing:  # the cues of a piece arrive together: one composes, the others wait
            composed = self._composed(request.piece)
        rate = request.sample_rate_hz
        stems = roles_of(composed.score) if request.stems else ()
        with ExitStack() as stack:
            files = [
                stack.enter_context(soundfile.SoundFile(path, "w", rate, 2, "PCM_24", format="FLAC"))
                for path in (music, *(music.with_name(f"{role}.flac") for role in stems))
            ]
            for block in render(composed.score, request.cue, self._synth, rate, report, stems):
                for file, part in zip(files, np.clip(block, -1, 1), strict=True):
                    file.write(np.rint(part * (_FULL_SCALE / 2**8)).astype(np.int32) * 2**8)
        return Generated(
            midi=composed.midi,
            picture=composed.picture,
            sections=tuple(
                Section(planned.span, planned.emotion, str(planned.key), planned.tempo_bpm, len(planned.bars))
                for planned in composed.score.sections
            ),
            style=composed.score.style,
            notes=self._synth.notes,
            stems=stems,
        )


def _sounds(soundfont: Path) -> Ingredient:
    name = soundfont.resolve().name
    return _SOUNDS.get(name) or Ingredient(name, "", "unknown", None)


def _compose(piece: Piece) -> _Composed:
    score = compose(piece)
    return _Composed(score, to_midi(score), to_png(score))
