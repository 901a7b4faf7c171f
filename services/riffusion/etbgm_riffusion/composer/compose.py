"""From a piece's values to its score: plan the form, let each voice write each bar."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.chance import generator, pick
from etbgm_riffusion.composer.motif import Motif, make_motif
from etbgm_riffusion.composer.plan import Plan, make_plan
from etbgm_riffusion.composer.profiles import PROFILES
from etbgm_riffusion.composer.score import Bar, Note, Score, Voice
from etbgm_riffusion.composer.speech import Speech, thin
from etbgm_riffusion.composer.styles import COLOURS, DRUMS_CHANNEL, ROLES, STYLES, Sounds, Style
from etbgm_riffusion.composer.voices import WRITERS, Part
from etbgm_riffusion.types import AUTO, Piece

_PANS = {"lead": 72, "keys": 46, "pad": 64, "bass": 64, "drums": 64}
_RELEASE_S = 0.8
"""The last chord's keys are released this long before the end, to ring inside the piece."""

_LATEST_S = 0.008
"""Notes off the first beat come up to this late, as players do."""

_SPREAD = 5
"""Velocities vary by up to this much."""

_BREATHS = {2: {"drums"}, 5: {"keys"}}
"""Voices that rest in every sixth period of eight bars, so that long sections breathe."""

_ENTRIES = {"bass": 1, "drums": 2, "lead": 2}
"""Bars that a voice waits at the start of a piece whose first section has eight bars."""


@dataclass(frozen=True, slots=True)
class _Context:
    """What all bars of one piece share."""

    piece: Piece
    plan: Plan
    style: Style
    motif: Motif
    speech: Speech
    figures: dict[Emotion, str]


def compose(piece: Piece) -> Score:
    """The score of `piece`: a pure function, the same in every process."""
    style = choose_style(piece.style, piece.random_seed)
    plan = make_plan(piece.timeline, piece.random_seed, style)
    context = _Context(
        piece=piece,
        plan=plan,
        style=style,
        motif=make_motif(piece.random_seed, plan.meter),
        speech=Speech(piece.speech_spans),
        figures={emotion: _figure(emotion, style, piece.random_seed) for emotion in Emotion},
    )
    notes = sorted(note for bar in plan.bars for role in WRITERS for note in _write(role, bar, context))
    return Score(
        duration_s=piece.timeline.duration_s,
        style=style.name,
        sections=plan.sections,
        bars=plan.bars,
        voices=voices_of(style),
        notes=tuple(_without_overlaps(notes)),
        controls=(),
        speech=context.speech.spans,
    )


def choose_style(name: str, random_seed: int) -> Style:
    """The style with this name; for "auto" the random seed's choice. KeyError when unknown."""
    return pick(generator(random_seed, "style"), tuple(STYLES.values())) if name == AUTO else STYLES[name]


def voices_of(style: Style) -> tuple[Voice, ...]:
    """All voices of a style: each role in each colour, and the drums."""
    voices = []
    for i, role in enumerate(ROLES):
        sounds: Sounds = getattr(style, role)
        reverb = style.reverb // 2 if role == "bass" else style.reverb
        for j, (colour, sound) in enumerate(zip(COLOURS, sounds, strict=True)):
            voices.append(Voice(f"{role} {colour}", role, _channel(i, j), *sound, _PANS[role], reverb))
    return (*voices, Voice("drums", "drums", DRUMS_CHANNEL, *style.drums, _PANS["drums"], style.reverb))


def _channel(role: int, colour: int) -> int:
    channel = role * len(COLOURS) + colour
    return channel if channel < DRUMS_CHANNEL else channel + 1


def _figure(emotion: Emotion, style: Style, random_seed: int) -> str:
    """One of the emotion's figures that suits the style; it stays the emotion's in this piece."""
    suiting = [figure for figure in PROFILES[emotion].figures if figure in style.figures]
    return pick(generator(random_seed, "figure", emotion), suiting or style.figures)


def _write(role: str, bar: Bar, context: _Context) -> Iterator[Note]:
    """The notes of one voice in one bar."""
    if _rests(role, bar, context.plan):
        return
    section = context.plan.sections[bar.section]
    profile = PROFILES[section.emotion]
    closing = bar.remaining == 0 and bar.section == len(context.plan.sections) - 1
    chance = generator(context.piece.random_seed, role, bar.section, bar.number)
    part = Part(
        section=section,
        profile=profile,
        style=context.style,
        motif=context.motif,
        random_seed=context.piece.random_seed,
        figure=context.figures[section.emotion],
        closing=closing,
        chance=chance,
    )
    channel = DRUMS_CHANNEL if role == "drums" else _channel(ROLES.index(role), COLOURS.index(profile.colour))
    held = role in ("pad", "bass") or closing
    articulation = 1.0 if held else profile.articulation
    last_s = bar.end_s - min(_RELEASE_S, 0.3 * bar.beats * bar.beat_s) if closing else math.inf
    for event in thin(role, WRITERS[role](bar, part), bar, context.speech):
        late_s = 0.0 if event.beat == 0 else _LATEST_S * chance.random()
        start_s = bar.time_s(event.beat) + late_s
        end_s = min(start_s + event.length * articulation * bar.beat_s, last_s)
        velocity = event.velocity + round(_SPREAD * (2 * chance.random() - 1))
        yield Note(start_s, end_s, channel, event.pitch, min(127, max(1, velocity)))


def _rests(role: str, bar: Bar, plan: Plan) -> bool:
    opening = bar.section == 0 and bar.number < _ENTRIES.get(role, 0)
    if opening and len(plan.sections[0].bars) >= 8:
        return True
    return role in _BREATHS.get(bar.number // 8 % 6, ())


def _without_overlaps(notes: list[Note]) -> Iterator[Note]:
    """Ends each note before its channel strikes the same pitch again.

    MIDI's note-off names only the pitch, so the earlier note's end would cut the later.
    """
    next_start: dict[tuple[int, int], float] = {}
    trimmed = []
    for note in reversed(notes):
        place = (note.channel, note.pitch)
        end_s = min(note.end_s, next_start.get(place, math.inf))
        if end_s > note.start_s:
            trimmed.append(note._replace(end_s=end_s))
            next_start[place] = note.start_s
    return reversed(trimmed)
