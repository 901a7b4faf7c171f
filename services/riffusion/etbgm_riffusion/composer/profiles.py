"""How each emotion sounds: one row per emotion, from the literature.

Positions on the valence-arousal plane follow Russell (1980), "A circumplex model of
affect". Directions of tempo, mode, loudness, register, articulation and dissonance
follow the reviews of Juslin & Laukka (2003), "Communication of emotions in vocal
expression and music performance", table 11, and Gabrielsson & Lindström (2010), "The
role of structure in the musical expression of emotions", tables 14.1 and 14.2:

    joy       fast, major, medium loud, high, bright, staccato, consonant
    anger     fast, minor, loud, hard attacks, many onsets, dissonant
    fear      fast, minor, soft, high, short and uneven tones
    sadness   slow, minor, soft, low, dark, legato, descending, few onsets
    surprise  fast, rising, wide leaps, high, bright
    disgust   slow, low, dissonant (few studies; derived from low valence at middle arousal)
    neutral   middle of everything

EmoGen (Kang et al. 2023, "EmoGen: Eliminating subjective bias in emotional music generation")
and CMT (Di et al. 2021, "Video background music generation with controllable music
transformer") also rely on such hand-made attributes to carry the emotion: tempo, density,
strength and mode. The literature gives directions; the numbers are ours.
"""

from dataclasses import dataclass, field

from etbgm_kit.types import Emotion


@dataclass(frozen=True, slots=True)
class Means:
    """Values that emotions set gradually; mixtures and intensities lie between rows (`moods`)."""

    valence: float
    """-1 unpleasant … 1 pleasant."""
    arousal: float
    """-1 calm … 1 excited."""
    tempo: float
    """Ratio to the piece's tempo."""
    level_db: float
    """Loudness relative to neutral music, dB."""
    velocity: float
    """Mean MIDI velocity: how hard notes are struck, which also makes them brighter."""
    density: float
    """Onsets of the accompaniment per beat."""
    register: float
    """Semitones up or down from the middle register."""
    articulation: float
    """Fraction of a written length that sounds: 0.4 staccato … 1 legato."""
    drive: float
    """Amount of percussion: 0 none … 3 driving."""
    lead: float
    """Fraction of phrases that the lead plays without a rest."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The musical means of one emotion."""

    means: Means
    colour: str
    """Which of a band's sounds play: "calm", "bright", "tense" or "heavy" (`bands.SEATS`)."""
    modes: tuple[str, ...]
    """Modes from the brightest to the darkest (`harmony.VOCABULARY` has their chords)."""
    colouring: tuple[str, ...]
    """Marks that chords may get (`theory.Chord.parse`), "" for none; one is drawn for each chord."""
    peaks: tuple[str, ...]
    """The same at peaks of tension (`harmony.tense`); () if the emotion has no peaks."""
    cadence: str
    """Degree before the tonic at the end of a section or piece."""
    figures: tuple[str, str, str]
    """Figures of the accompaniment (`voices.keys`): flowing, in chords, and pulsing (`textures`)."""
    bass: str
    """How the bass moves (`voices.bass`)."""
    stretch: int
    """Factor for the motif's lengths: 2 is augmentation."""
    leap: int
    """Factor for the motif's intervals; a negative one inverts it."""
    half_time: bool = False
    """True if the drums play in half time, with weight instead of speed."""
    balance_db: dict[str, float] = field(default_factory=dict)
    """Levels of voices relative to the usual ones (`balance.BALANCE_DB`)."""


PROFILES: dict[Emotion, Profile] = {
    Emotion.ANGER: Profile(
        Means(
            valence=-0.6, arousal=0.8, tempo=1.2, level_db=1.1, velocity=110, density=4.0,
            register=-6, articulation=0.95, drive=3, lead=0.5,
        ),
        colour="heavy", modes=("aeolian",), colouring=("", "4", ""), peaks=("t", "b", ""),
        cadence="5M", figures=("ostinato", "riff", "riff"), bass="whole", stretch=1, leap=1, half_time=True,
        balance_db={"keys": 5, "bass": 1, "lead": -4, "pad": -2, "drums": 1},
    ),
    Emotion.DISGUST: Profile(
        Means(
            valence=-0.7, arousal=0.1, tempo=0.86, level_db=-0.8, velocity=84, density=0.9,
            register=-12, articulation=0.75, drive=1, lead=0.5,
        ),
        colour="tense", modes=("aeolian",), colouring=("4", "4", "9", ""), peaks=("b", "tb"),
        cadence="2", figures=("lurch", "lurch", "lurch"), bass="lean",
        stretch=2, leap=-1, balance_db={"bass": 2, "keys": 2, "lead": -3},
    ),
    Emotion.FEAR: Profile(
        Means(
            valence=-0.6, arousal=0.6, tempo=1.25, level_db=-0.6, velocity=76, density=3.5,
            register=9, articulation=0.5, drive=1.0, lead=0.4,
        ),
        colour="tense", modes=("aeolian",), colouring=("4", "4", "9", ""), peaks=("tb", "b"),
        cadence="5M", figures=("tremble", "tremble", "tremble"), bass="whole",
        stretch=1, leap=1, balance_db={"bass": -13, "keys": 6, "lead": -2, "pad": 3},
    ),
    Emotion.JOY: Profile(
        Means(
            valence=0.8, arousal=0.5, tempo=1.28, level_db=1.9, velocity=98, density=2.6,
            register=6, articulation=0.6, drive=2.9, lead=0.85,
        ),
        colour="bright", modes=("ionian", "mixolydian"), colouring=("", "", "", "9"), peaks=(),
        cadence="5", figures=("offbeat", "strum", "arpeggio"), bass="bounce", stretch=1, leap=1,
        balance_db={"lead": 4, "bass": -8, "pad": -4},
    ),
    Emotion.NEUTRAL: Profile(
        Means(
            valence=0.1, arousal=-0.2, tempo=1.0, level_db=0.0, velocity=75, density=1.3,
            register=0, articulation=0.72, drive=1.2, lead=0.6,
        ),
        colour="calm", modes=("ionian", "mixolydian"), colouring=("", "", "", "9"), peaks=(),
        cadence="5", figures=("broken", "comp", "comp"), bass="bounce", stretch=1, leap=1,
        balance_db={"bass": -2, "pad": -5, "drums": -2},
    ),
    Emotion.SADNESS: Profile(
        Means(
            valence=-0.7, arousal=-0.5, tempo=0.76, level_db=-1.5, velocity=62, density=0.6,
            register=-12, articulation=1.0, drive=0, lead=0.6,
        ),
        colour="calm", modes=("aeolian",), colouring=("", "", "9"), peaks=(),
        cadence="5M", figures=("broken", "block", "block"), bass="whole",
        stretch=2, leap=-1, balance_db={"lead": -4, "bass": 2},
    ),
    Emotion.SURPRISE: Profile(
        Means(
            valence=0.3, arousal=0.7, tempo=1.55, level_db=0.0, velocity=106, density=2.0,
            register=13, articulation=0.35, drive=1.0, lead=0.9,
        ),
        colour="bright", modes=("lydian",), colouring=("", "9", ""), peaks=(),
        cadence="5", figures=("rise", "rise", "stabs"), bass="skip",
        stretch=1, leap=2, balance_db={"lead": 4, "keys": 3, "bass": -8, "pad": -10, "drums": -6},
    ),
}  # fmt: skip
