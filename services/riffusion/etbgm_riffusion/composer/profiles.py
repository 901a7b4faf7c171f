"""How each emotion sounds: one row per emotion, from the literature.

Positions on the valence-arousal plane follow Russell (1980), "A circumplex model of
affect". Directions of tempo, mode, loudness, register, articulation and dissonance
follow the reviews of Juslin & Laukka (2003), "Communication of emotions in vocal
expression and music performance", table 11, and Gabrielsson & Lindström (2010), "The
role of structure in the musical expression of emotions", tables 14.1 and 14.2:

    joy       fast, major, medium loud, high, staccato, consonant
    anger     fast, minor, loud, hard attacks, dissonant
    fear      fast, minor, soft, high, short tones, uneven
    sadness   slow, minor, soft, low, legato, descending
    surprise  fast, rising, wide leaps, high
    disgust   slow, low, dissonant (few studies: from low valence at middle arousal)
    neutral   middle of everything

The literature gives directions; the numbers are ours.
"""

from dataclasses import dataclass
from fractions import Fraction

from etbgm_kit.types import Emotion


@dataclass(frozen=True, slots=True)
class Profile:
    """The musical means of one emotion."""

    valence: float
    """Unpleasant -1 … 1 pleasant."""
    arousal: float
    """Calm -1 … 1 excited."""
    colour: str
    """Which of a style's instruments play: "calm", "bright" or "tense"."""
    tempo_ratio: Fraction
    """Tempo against the piece's; simple ratios, so that a change is a metric modulation."""
    harmony: tuple[tuple[str, tuple[str, ...]], ...]
    """Modes and, for each, four-bar progressions in number notation (`Chord.parse`)."""
    cadence: str
    """Degree before the tonic at the end of a section or piece."""
    figures: tuple[str, ...]
    """What the accompaniment may play (`voices.keys`), from calm to busy."""
    density: float
    """Onsets of the accompaniment per beat."""
    bass: str
    """How the bass moves (`voices.bass`)."""
    drive: int
    """How much percussion: 0 none … 3 driving."""
    register: int
    """Semitones up or down from the middle register."""
    velocity: int
    """Mean MIDI velocity of the accompaniment."""
    articulation: float
    """Sounding share of a written length: 0.4 staccato … 1 legato."""
    lead: float
    """Share of phrases in which the lead plays."""
    stretch: int
    """The motif's lengths times this: 2 is augmentation."""
    leap: int
    """The motif's intervals times this; negative turns it upside down."""


PROFILES: dict[Emotion, Profile] = {
    Emotion.ANGER: Profile(
        valence=-0.6, arousal=0.8, colour="tense", tempo_ratio=Fraction(4, 3),
        harmony=(("phrygian", ("1 1 2 1", "1 2 7 1")), ("aeolian", ("1 6 7 1", "1 1 4t 5M"))),
        cadence="5M", figures=("pulse", "stabs"), density=2, bass="drive", drive=3,
        register=-3, velocity=92, articulation=0.55, lead=0.7, stretch=1, leap=1,
    ),
    Emotion.DISGUST: Profile(
        valence=-0.7, arousal=0.2, colour="tense", tempo_ratio=Fraction(8, 9),
        harmony=(("phrygian", ("1t 2 1t 7", "1t 1 2 1t")), ("aeolian", ("1t 2 6 1t", "1 4t 1 2"))),
        cadence="2", figures=("broken", "stabs"), density=1, bass="lean", drive=1,
        register=-8, velocity=86, articulation=0.7, lead=0.5, stretch=1, leap=-1,
    ),
    Emotion.FEAR: Profile(
        valence=-0.6, arousal=0.6, colour="tense", tempo_ratio=Fraction(5, 4),
        harmony=(("phrygian", ("1 2 1 7", "1t 1 2 2")), ("aeolian", ("1 1t 6 5M", "1 4 1t 5M"))),
        cadence="5M", figures=("tremble", "broken"), density=2, bass="pedal", drive=1,
        register=7, velocity=86, articulation=0.5, lead=0.5, stretch=1, leap=1,
    ),
    Emotion.JOY: Profile(
        valence=0.8, arousal=0.5, colour="bright", tempo_ratio=Fraction(4, 3),
        harmony=(
            ("ionian", ("1 5 6 4", "1 4 6 5", "1 6 4 5", "1 3 4 5")),
            ("mixolydian", ("1 7 4 1", "1 4 7 4")),
        ),
        cadence="5", figures=("offbeat", "arpeggio", "pulse"), density=2, bass="bounce", drive=2,
        register=5, velocity=92, articulation=0.6, lead=0.85, stretch=1, leap=1,
    ),
    Emotion.NEUTRAL: Profile(
        valence=0.1, arousal=-0.2, colour="calm", tempo_ratio=Fraction(1),
        harmony=(
            ("ionian", ("19 4 6 5s", "1 4 19 5s", "1 6 29 5s")),
            ("mixolydian", ("19 4 1 7", "1 7 4 1")),
        ),
        cadence="5", figures=("arpeggio", "broken", "block"), density=1, bass="half", drive=1,
        register=0, velocity=84, articulation=0.85, lead=0.6, stretch=1, leap=1,
    ),
    Emotion.SADNESS: Profile(
        valence=-0.7, arousal=-0.5, colour="calm", tempo_ratio=Fraction(3, 4),
        harmony=(("aeolian", ("1 6 3 7", "19 4 6 5M", "1 7 6 5M")), ("dorian", ("1 7 4 1", "19 3 7 4"))),
        cadence="5M", figures=("broken", "block"), density=1, bass="whole", drive=0,
        register=-5, velocity=78, articulation=1.0, lead=0.6, stretch=2, leap=-1,
    ),
    Emotion.SURPRISE: Profile(
        valence=0.3, arousal=0.7, colour="bright", tempo_ratio=Fraction(5, 4),
        harmony=(("lydian", ("1 2 1 2", "17 2 6 2", "1 2 37 2")),),
        cadence="5", figures=("arpeggio", "stabs"), density=2, bass="bounce", drive=2,
        register=8, velocity=92, articulation=0.5, lead=0.8, stretch=1, leap=2,
    ),
}  # fmt: skip
