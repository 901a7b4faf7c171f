"""The styles, as data: who plays what, and how loud."""

from dataclasses import dataclass
from typing import NamedTuple

ROLES = ("lead", "keys", "pad", "bass")
COLOURS = ("calm", "bright", "tense")
DRUMS_CHANNEL = 9


class Sound(NamedTuple):
    """A General MIDI programme, 0 to 127, and its MIDI volume, 0 to 127.

    Volumes were set by measuring: every emotion in every style comes to about -20 LUFS.
    """

    programme: int
    volume: int


Sounds = tuple[Sound, Sound, Sound]
"""For the colours calm, bright and tense (see `profiles.Profile.colour`)."""


@dataclass(frozen=True, slots=True)
class Style:
    """One style of music."""

    name: str
    description: str
    lead: Sounds
    keys: Sounds
    pad: Sounds
    bass: Sounds
    drums: Sound
    tempo_bpm: tuple[float, float]
    """Slowest and fastest tempo of a neutral section."""
    meters: tuple[int, ...]
    """Beats of a bar; the random seed chooses."""
    figures: tuple[str, ...]
    """What the accompaniment may play (`voices.keys`)."""
    drive: int
    """The most percussion, 0 to 3 (see `profiles.Profile.drive`)."""
    kit: str
    """Which drum patterns (`voices.drums`): "brushes", "machine" or "orchestra"."""
    reverb: int
    """Send to the reverb, 0 to 127."""


STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style(
            "acoustic", "Guitar, woodwinds and double bass, close and warm.",
            lead=(Sound(71, 84), Sound(73, 76), Sound(42, 88)),
            keys=(Sound(24, 100), Sound(25, 86), Sound(24, 104)),
            pad=(Sound(49, 60), Sound(49, 52), Sound(48, 62)),
            bass=(Sound(32, 100), Sound(32, 90), Sound(32, 100)),
            drums=Sound(40, 72), tempo_bpm=(84, 98), meters=(4, 4, 3),
            figures=("arpeggio", "broken", "offbeat", "stabs", "tremble", "pulse"),
            drive=2, kit="brushes", reverb=34,
        ),
        Style(
            "ambient", "Slow pads and bells with much space.",
            lead=(Sound(79, 74), Sound(11, 96), Sound(53, 74)),
            keys=(Sound(4, 88), Sound(11, 104), Sound(88, 84)),
            pad=(Sound(89, 82), Sound(88, 92), Sound(92, 80)),
            bass=(Sound(39, 82), Sound(39, 92), Sound(39, 86)),
            drums=Sound(0, 50), tempo_bpm=(72, 84), meters=(4,),
            figures=("broken", "arpeggio", "block", "tremble"),
            drive=1, kit="machine", reverb=80,
        ),
        Style(
            "cinematic", "Strings, piano, horns and low drums.",
            lead=(Sound(68, 86), Sound(73, 78), Sound(60, 86)),
            keys=(Sound(0, 94), Sound(46, 80), Sound(48, 84)),
            pad=(Sound(48, 80), Sound(49, 68), Sound(44, 72)),
            bass=(Sound(42, 92), Sound(43, 80), Sound(43, 84)),
            drums=Sound(48, 84), tempo_bpm=(80, 94), meters=(4, 4, 3),
            figures=("arpeggio", "broken", "block", "pulse", "stabs", "tremble", "offbeat"),
            drive=3, kit="orchestra", reverb=64,
        ),
        Style(
            "electronic", "Synthesisers over a drum machine.",
            lead=(Sound(80, 78), Sound(81, 60), Sound(81, 58)),
            keys=(Sound(5, 120), Sound(4, 84), Sound(87, 72)),
            pad=(Sound(89, 90), Sound(90, 58), Sound(95, 66)),
            bass=(Sound(38, 108), Sound(38, 84), Sound(39, 86)),
            drums=Sound(25, 72), tempo_bpm=(88, 98), meters=(4,),
            figures=("pulse", "arpeggio", "offbeat", "stabs", "broken", "tremble"),
            drive=3, kit="machine", reverb=40,
        ),
    )
}  # fmt: skip
"""All styles by name, in alphabetical order."""
