"""The styles, as data: who plays, how fast, and in which manner.

`bands` contains the sounds, `idioms` the melodies, `progressions` the chords and `grooves` the percussion
of each style. `balance` determines how loud each sound plays.
"""

from dataclasses import dataclass, field, replace

from etbgm_riffusion.composer.bands import BANDS, ENSEMBLES, Band
from etbgm_riffusion.composer.chance import turn

DRUMS_CHANNEL = 9


@dataclass(frozen=True, slots=True)
class Style:
    """One style of music."""

    name: str
    description: str
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
    """Which drum patterns to use (`grooves`)."""
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
    band: Band = field(default_factory=dict)
    """Sounds of each role, chosen by `styled`."""


STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style(
            "acoustic", "Guitar, woodwinds and double bass, close and warm.",
            drums=40, tempo_bpm=(84, 98), meters=(4, 4, 3),
            figures={}, basses={},
            kit="brushes", drive=3, swing=0.5, reverb=34, suits=(0.2, 0.0),
        ),
        Style(
            "ambient", "Slow pads and bells with much space.",
            drums=0, tempo_bpm=(66, 86), meters=(4,),
            figures={"strum": "offbeat", "comp": "broken", "stabs": "rise"},
            basses={"bounce": "half", "drive": "half", "skip": "half"},
            kit="machine", drive=2, swing=0.5, reverb=80, suits=(0.0, -0.5), pulse=False,
            balance_db={"pad": 4, "drums": -6, "bass": -2},
        ),
        Style(
            "cinematic", "Strings, piano, horns and low drums.",
            drums=48, tempo_bpm=(80, 94), meters=(4, 4, 3),
            figures={"strum": "arpeggio", "comp": "broken"}, basses={},
            kit="orchestra", drive=3, swing=0.5, reverb=64, suits=(-0.4, 0.4),
        ),
        Style(
            "electronic", "Synthesisers over a drum machine.",
            drums=25, tempo_bpm=(88, 98), meters=(4,),
            figures={"strum": "offbeat", "comp": "broken"},
            basses={"bounce": "octaves"},
            kit="machine", drive=3, swing=0.5, reverb=40, suits=(0.0, 0.6),
        ),
        Style(
            "jazz", "Piano trio with vibraphone: walking bass, brushes, swung eighths.",
            drums=32, tempo_bpm=(88, 104), meters=(4, 4, 3),
            figures={"arpeggio": "strum", "offbeat": "strum", "ostinato": "riff"},
            basses={"half": "two", "bounce": "walk", "drive": "walk", "skip": "walk"},
            kit="jazz", drive=3, swing=0.62, reverb=30, suits=(0.4, 0.1),
            balance_db={"pad": -8, "bass": 2},
        ),
        Style(
            "lofi", "Electric piano over dusty, swung beats.",
            drums=25, tempo_bpm=(74, 86), meters=(4,),
            figures={"offbeat": "strum", "ostinato": "riff"},
            basses={"half": "lazy", "bounce": "lazy", "drive": "octaves"},
            kit="lofi", drive=3, swing=0.58, reverb=36, suits=(0.2, -0.3),
        ),
        Style(
            "orchestral", "A symphony orchestra: strings, woodwinds, horns, harp and timpani.",
            drums=48, tempo_bpm=(82, 98), meters=(4, 4, 3),
            figures={"strum": "arpeggio", "comp": "broken", "pulse": "ostinato"}, basses={},
            kit="orchestra", drive=3, swing=0.5, reverb=72, suits=(-0.1, 0.5),
        ),
        Style(
            "pop", "Piano, guitars and a band's rhythm section.",
            drums=0, tempo_bpm=(88, 102), meters=(4,),
            figures={"rise": "stabs"},
            basses={"half": "root", "whole": "half"},
            kit="pop", drive=3, swing=0.5, reverb=36, suits=(0.6, 0.4),
        ),
    )
}  # fmt: skip
"""All styles by name, in alphabetical order."""


def styled(name: str, random_seed: int, families: tuple[str, ...], drums: bool) -> Style:
    """Returns the style with the band of this random seed and the requested instruments.

    The first family of instruments has priority for roles. Raises KeyError if the style or a family does
    not exist.
    """
    bands = BANDS[name]
    band = bands[turn(random_seed, len(bands), "band")]
    for family in reversed(families):
        band = band | ENSEMBLES[family]
    style = replace(STYLES[name], band=band)
    return style if drums else replace(style, drive=0)
