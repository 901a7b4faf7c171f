"""The styles, as data: which instruments play what.

Sounds are General MIDI programmes, 0 to 127, one for each colour: calm, bright, tense (see
`profiles.Profile.colour`). `balance` determines how loud each one plays.
"""

from dataclasses import dataclass, field, replace

ROLES = ("lead", "counter", "keys", "pad", "bass")
"""The pitched voices, each with three sounds; together with the drums, they use all 16 MIDI channels."""
COLOURS = ("calm", "bright", "tense")
DRUMS_CHANNEL = 9

Sounds = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Style:
    """One style of music."""

    name: str
    description: str
    sounds: dict[str, Sounds]
    """Sounds for each of ROLES."""
    drums: int
    """Programme of the percussion channel: 0 standard, 25 TR-808, 32 jazz, 40 brushes, 48 orchestra."""
    tempo_bpm: tuple[float, float]
    """Slowest and fastest tempo of a neutral section."""
    meters: tuple[int, ...]
    """Beats per bar; the random seed chooses."""
    figures: dict[str, str]
    """What the accompaniment plays for each of the emotion's figures (`voices.keys`); the figure itself
    by default."""
    basses: dict[str, str]
    """The same for the bass (`voices.bass`)."""
    kit: str
    """Which drum patterns to use (`voices.drums`)."""
    drive: int
    """Maximum percussion, 0 to 3 (see `profiles.Means.drive`)."""
    swing: float
    """Position of the second eighth in a beat: 0.5 straight … 0.67 triplets."""
    reverb: int
    """Level of the reverb send, 0 to 127."""
    suits: tuple[float, float]
    """The point of valence and arousal that the style suits best, for "auto"."""
    pulse: bool = True
    """False if no beat can be felt."""
    balance_db: dict[str, float] = field(default_factory=dict)
    """Levels of roles relative to `balance.BALANCE_DB`."""


STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style(
            "acoustic", "Guitar, woodwinds and double bass, close and warm.",
            sounds={
                "lead": (71, 73, 40), "counter": (42, 71, 41), "keys": (24, 25, 25),
                "pad": (49, 49, 48), "bass": (32, 32, 32),
            },
            drums=40, tempo_bpm=(84, 98), meters=(4, 4, 3),
            figures={"stabs": "strum", "ostinato": "pulse", "block": "arpeggio"}, basses={},
            kit="brushes", drive=3, swing=0.5, reverb=34, suits=(0.2, 0.0),
        ),
        Style(
            "ambient", "Slow pads and bells with much space.",
            sounds={
                "lead": (79, 11, 53), "counter": (52, 88, 52), "keys": (4, 11, 4),
                "pad": (89, 88, 92), "bass": (39, 39, 39),
            },
            drums=0, tempo_bpm=(72, 84), meters=(4,),
            figures={"strum": "offbeat", "comp": "broken", "stabs": "rise"},
            basses={"bounce": "half", "drive": "half", "skip": "half"},
            kit="machine", drive=2, swing=0.5, reverb=80, suits=(0.0, -0.5), pulse=False,
            balance_db={"pad": 4, "drums": -6, "bass": -2},
        ),
        Style(
            "cinematic", "Strings, piano, horns and low drums.",
            sounds={
                "lead": (71, 73, 60), "counter": (60, 60, 58), "keys": (0, 46, 0),
                "pad": (48, 49, 44), "bass": (42, 43, 43),
            },
            drums=48, tempo_bpm=(80, 94), meters=(4, 4, 3),
            figures={"strum": "arpeggio", "comp": "broken"}, basses={},
            kit="orchestra", drive=3, swing=0.5, reverb=64, suits=(-0.4, 0.4),
        ),
        Style(
            "electronic", "Synthesisers over a drum machine.",
            sounds={
                "lead": (80, 81, 81), "counter": (82, 80, 87), "keys": (5, 4, 87),
                "pad": (89, 90, 95), "bass": (38, 38, 39),
            },
            drums=25, tempo_bpm=(88, 98), meters=(4,),
            figures={"strum": "offbeat", "comp": "arpeggio", "lurch": "lurch"},
            basses={"bounce": "octaves"},
            kit="machine", drive=3, swing=0.5, reverb=40, suits=(0.0, 0.6),
        ),
        Style(
            "jazz", "Piano trio with vibraphone: walking bass, brushes, swung eighths.",
            sounds={
                "lead": (11, 66, 56), "counter": (26, 11, 66), "keys": (0, 0, 0),
                "pad": (26, 26, 16), "bass": (32, 32, 32),
            },
            drums=32, tempo_bpm=(88, 104), meters=(4, 4, 3),
            figures={
                "block": "comp", "strum": "comp", "offbeat": "comp", "pulse": "stabs", "ostinato": "stabs",
            },
            basses={"half": "two", "bounce": "walk", "drive": "walk", "skip": "walk"},
            kit="jazz", drive=3, swing=0.62, reverb=30, suits=(0.4, 0.1),
            balance_db={"pad": -8, "bass": 2},
        ),
        Style(
            "lofi", "Electric piano over dusty, swung beats.",
            sounds={
                "lead": (4, 11, 26), "counter": (75, 11, 4), "keys": (4, 5, 4),
                "pad": (89, 52, 91), "bass": (33, 33, 35),
            },
            drums=25, tempo_bpm=(74, 86), meters=(4,),
            figures={"strum": "comp", "offbeat": "comp", "pulse": "comp", "ostinato": "arpeggio"},
            basses={"half": "lazy", "bounce": "lazy", "drive": "octaves"},
            kit="lofi", drive=3, swing=0.58, reverb=36, suits=(0.2, -0.3),
        ),
        Style(
            "orchestral", "A symphony orchestra: strings, woodwinds, horns, harp and timpani.",
            sounds={
                "lead": (40, 73, 56), "counter": (70, 68, 60), "keys": (46, 45, 45),
                "pad": (48, 48, 44), "bass": (43, 45, 43),
            },
            drums=48, tempo_bpm=(82, 98), meters=(4, 4, 3),
            figures={"strum": "arpeggio", "comp": "block", "pulse": "ostinato"}, basses={},
            kit="orchestra", drive=3, swing=0.5, reverb=72, suits=(-0.1, 0.5),
        ),
        Style(
            "pop", "Piano, guitars and a band's rhythm section.",
            sounds={
                "lead": (26, 80, 29), "counter": (71, 61, 30), "keys": (0, 25, 27),
                "pad": (50, 50, 50), "bass": (33, 33, 34),
            },
            drums=0, tempo_bpm=(88, 102), meters=(4,),
            figures={"broken": "block", "comp": "strum", "rise": "stabs"},
            basses={"half": "root", "whole": "half"},
            kit="pop", drive=3, swing=0.5, reverb=36, suits=(0.6, 0.4),
        ),
    )
}  # fmt: skip
"""All styles by name, in alphabetical order."""

ENSEMBLES: dict[str, dict[str, Sounds]] = {
    "bells": {"lead": (10, 9, 14)},
    "brass": {"lead": (57, 56, 57), "pad": (61, 61, 61)},
    "cello": {"lead": (42, 42, 42)},
    "choir": {"pad": (52, 52, 53)},
    "clarinet": {"lead": (71, 71, 71)},
    "electric guitar": {"lead": (26, 27, 29), "keys": (26, 27, 28)},
    "electric piano": {"lead": (4, 5, 4), "keys": (4, 5, 4)},
    "flute": {"lead": (73, 73, 73)},
    "guitar": {"lead": (24, 25, 24), "keys": (24, 25, 24)},
    "harp": {"keys": (46, 46, 46)},
    "horn": {"lead": (60, 60, 60)},
    "mallets": {"keys": (11, 12, 12)},
    "oboe": {"lead": (68, 68, 68)},
    "organ": {"keys": (19, 16, 18), "pad": (19, 16, 18)},
    "piano": {"lead": (0, 0, 0), "keys": (0, 0, 0)},
    "saxophone": {"lead": (66, 65, 67)},
    "strings": {"lead": (40, 40, 40), "counter": (42, 42, 42), "pad": (48, 49, 44)},
    "synth": {"lead": (80, 81, 81), "keys": (4, 90, 87), "pad": (89, 90, 95)},
    "violin": {"lead": (40, 40, 40)},
}
"""Sounds that a requested family of instruments (`hints.FAMILIES`) sets for each role."""


def styled(name: str, families: tuple[str, ...], drums: bool) -> Style:
    """Returns the style with the requested instruments; the first family has priority for roles.

    Raises KeyError if the style or a family does not exist.
    """
    style = STYLES[name]
    for family in reversed(families):
        style = replace(style, sounds=style.sounds | ENSEMBLES[family])
    return style if drums else replace(style, drive=0)
