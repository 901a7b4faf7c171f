"""Composes the score of a piece: plan, form, voices, balance, performance."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etbgm_kit.types import Cut, Emotion, EmotionTimeline
from etbgm_riffusion.composer.accents import accented, hits_in
from etbgm_riffusion.composer.balance import volumes
from etbgm_riffusion.composer.bands import ROLES, SEATS
from etbgm_riffusion.composer.boundaries import has_breath, has_stinger, marked
from etbgm_riffusion.composer.chance import generator
from etbgm_riffusion.composer.controls import controls_of, rings
from etbgm_riffusion.composer.form import make_form
from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.hints import StyleRequest, read
from etbgm_riffusion.composer.layers import rests
from etbgm_riffusion.composer.levels import REFERENCE_VOLUME
from etbgm_riffusion.composer.moods import mood
from etbgm_riffusion.composer.motif import Motif, make_motif
from etbgm_riffusion.composer.perform import HELD, Line, perform
from etbgm_riffusion.composer.plan import Plan, make_plan
from etbgm_riffusion.composer.profiles import PROFILES
from etbgm_riffusion.composer.pulse import strong
from etbgm_riffusion.composer.score import Bar, Event, Score, Voice
from etbgm_riffusion.composer.speech import Speech, thin
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL, STYLES, Style, styled
from etbgm_riffusion.composer.voices import WRITERS, Part
from etbgm_riffusion.composer.voices.keys import FIGURES
from etbgm_riffusion.types import AUTO, Hits, Piece

_PANS = {"lead": 72, "counter": 84, "keys": 46, "pad": 64, "bass": 64, "drums": 64}
_FORMS = 4
"""Forms of a figure that a voice may play in a phrase (`Part.variant`)."""

_VARIANTS = 4
"""Number of styles among which "auto" chooses: the usual number of variants of a job."""


@dataclass(frozen=True, slots=True)
class _Context:
    """Values shared by all bars of one piece."""

    random_seed: int
    plan: Plan
    style: Style
    voices: dict[int, Voice]
    """Voices by channel."""
    motif: Motif
    speech: Speech
    figures: dict[Emotion, str]
    hits: tuple[Cut, ...]
    """The cuts that get an accent."""


def compose(piece: Piece, performance_seed: int | None = None) -> Score:
    """Returns the score of `piece`; a pure function, the same in every process.

    `performance_seed` determines the players' small deviations; the default is the piece's own seed.
    Raises ValueError if the piece's style cannot be read (`hints.read`).
    """
    wish = read(piece.style)
    name = choose_style(wish, piece.random_seed, piece.timeline)
    style = styled(name, piece.random_seed, wish.programmes, wish.drums)
    cuts = () if piece.hits is Hits.OFF else piece.cuts
    plan = make_plan(piece.timeline, piece.random_seed, style, wish.arousal, cuts)
    context = _Context(
        random_seed=piece.random_seed,
        plan=plan,
        style=style,
        voices={voice.channel: voice for voice in voices_of(style)},
        motif=make_motif(piece.random_seed, plan.meter, style.name),
        speech=Speech(piece.speech_spans),
        figures={emotion: _figure(emotion, plan) for emotion in Emotion},
        hits=tuple(strong(cuts)) if piece.hits is Hits.STRONG else (),
    )
    bars = tuple(make_form(plan, piece.random_seed))
    lines = [line for role in WRITERS for line in _lines(role, bars, context)]
    loud = volumes(lines, plan, context.voices)
    played_by = piece.random_seed if performance_seed is None else performance_seed
    return Score(
        duration_s=piece.timeline.duration_s,
        style=style.name,
        sections=plan.sections,
        bars=bars,
        voices=tuple(context.voices.values()),
        notes=tuple(perform(lines, style, played_by)),
        controls=controls_of(lines, loud),
        speech=context.speech.spans,
    )


def choose_style(wish: StyleRequest, random_seed: int, timeline: EmotionTimeline) -> str:
    """Returns the requested style's name; for "auto", one of the _VARIANTS styles that suit best.

    Neighbouring random seeds choose in turn, so that the variants of a job have different styles.
    """
    if wish.style != AUTO:
        return wish.style
    means = [(mood(span, wish.arousal), span.span.duration_s) for span in timeline.spans]
    total_s = sum(length_s for _, length_s in means)
    valence = sum(m.valence * length_s for m, length_s in means) / total_s
    arousal = sum(m.arousal * length_s for m, length_s in means) / total_s + wish.arousal
    away = {
        style.name: math.hypot(style.suits[0] - valence, style.suits[1] - arousal)
        for style in STYLES.values()
    }
    return sorted(away, key=lambda name: (away[name], name))[random_seed % _VARIANTS]


def voices_of(style: Style) -> tuple[Voice, ...]:
    """Returns all voices of a style: each role with each of its sounds, and the drums."""
    voices = []
    for role in ROLES:
        for seat, programme in enumerate(style.band[role]):
            colour = next(colour for colour, at in SEATS[role].items() if at == seat)
            reverb = style.reverb // 2 if role == "bass" else style.reverb
            voices.append(
                Voice(
                    f"{role} {colour}",
                    role,
                    channel_of(role, colour),
                    programme,
                    REFERENCE_VOLUME,
                    _PANS[role],
                    reverb,
                )
            )
    drums = Voice(
        "drums", "drums", DRUMS_CHANNEL, style.drums, REFERENCE_VOLUME, _PANS["drums"], style.reverb // 2
    )
    return (*voices, drums)


def channel_of(role: str, colour: str) -> int:
    """Returns the MIDI channel, 0 to 15, of a role in a colour; the drums have one for all colours."""
    if role == "drums":
        return DRUMS_CHANNEL
    before = sum(len(set(SEATS[other].values())) for other in ROLES[: ROLES.index(role)])
    channel = before + SEATS[role][colour]
    return channel if channel < DRUMS_CHANNEL else channel + 1


def _figure(emotion: Emotion, plan: Plan) -> str:
    """Returns the emotion's figure in the piece's texture, as the style plays it."""
    figure = PROFILES[emotion].figures[plan.texture.figure]
    played = plan.style.figures.get(figure, figure)
    assert played in FIGURES
    return played


def _lines(role: str, bars: Sequence[Bar], context: _Context) -> Iterator[Line]:
    """Yields what one voice plays, bar by bar; keeps track of its last pitch."""
    sections = context.plan.sections
    last: int | None = None
    for index, bar in enumerate(bars):
        section = sections[bar.section]
        channel = channel_of(role, PROFILES[section.emotion].colour)
        part = _part(role, bar, bars[index + 1] if index + 1 < len(bars) else None, last, context)
        written = [] if rests(role, bar, context.plan) else _inside(WRITERS[role](bar, part), bar)
        if not part.closing:
            written = marked(role, written, bar, part.velocity)
        if written:
            last = max(written, key=lambda event: event.beat).pitch
        played = thin(role, written, bar, context.speech)
        if context.hits and not part.closing and (hits := hits_in(bar, context.hits, context.speech)):
            played = accented(role, played, bar, hits, part.velocity, context.style.drive > 0)
        articulation = 1.0 if part.closing or role in HELD else section.mood.articulation
        yield Line(
            role=role,
            channel=channel,
            bar=bar,
            articulation=articulation,
            rings=rings(role, context.voices[channel].programme, articulation),
            closing=part.closing,
            breath=has_breath(bar, sections),
            written=tuple(written),
            played=tuple(played),
        )


def _inside(events: Sequence[Event], bar: Bar) -> list[Event]:
    """Returns the events that begin in the bar, ended with it, so that none sounds against the next chord."""
    return [
        event._replace(length=min(event.length, bar.beats - event.beat))
        for event in events
        if event.beat < bar.beats
    ]


def _part(role: str, bar: Bar, following: Bar | None, last: int | None, context: _Context) -> Part:
    section = context.plan.sections[bar.section]
    phrase = generator(context.random_seed, "variant", role, bar.section, bar.number // PHRASE_BARS)
    return Part(
        section=section,
        profile=PROFILES[section.emotion],
        style=context.style,
        motif=context.motif,
        random_seed=context.random_seed,
        figure=context.figures[section.emotion],
        variant=int(phrase.random() * _FORMS),
        following=following,
        last=last,
        closing=following is None,
        answering=context.speech.pauses_in(bar),
        stinger=has_stinger(bar, context.plan.sections),
        chance=generator(context.random_seed, role, bar.section, bar.number),
    )
