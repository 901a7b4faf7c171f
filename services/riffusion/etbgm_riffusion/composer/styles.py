"""The styles, as data: who plays what. Instruments are General MIDI programmes, 0 to 127."""

from dataclasses import dataclass

ROLES = ("lead", "keys", "pad", "bass")
COLOURS = ("calm", "bright", "tense")
DRUMS_CHANNEL = 9


@dataclass(frozen=True, slots=True)
class Style:
    """One style of music.

    `lead`, `keys`, `pad` and `bass` name the programmes for the colours calm, bright
    and tense (see `profiles.Profile.colour`).
    """

    name: str
    description: str
    lead: tuple[int, int, int]
    keys: tuple[int, int, int]
    pad: tuple[int, int, int]
    bass: tuple[int, int, int]
    levels: tuple[int, int, int, int, int]
    """MIDI volume of lead, keys, pad, bass and drums, 0 to 127."""
    tempo_bpm: tuple[float, float]
    """Slowest and fastest tempo of a neutral section."""
    meters: tuple[int, ...]
    """Beats of a bar; the random seed chooses."""
    figures: tuple[str, ...]
    """What the accompaniment plays when the emotion's own figures do not suit the style."""
    drive: int
    """The most percussion, 0 to 3 (see `profiles.Profile.drive`)."""
    kit: str
    """Which drum patterns (`voices.drums`): "orchestra", "brushes" or "machine"."""
    kit_programme: int
    """Programme of the drum channel."""
    reverb: int
    """Send to the reverb, 0 to 127."""


STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style(
            "acoustic", "Guitar, woodwinds and double bass, close and warm.",
            lead=(71, 73, 42), keys=(24, 25, 24), pad=(49, 49, 48), bass=(32, 32, 32),
            levels=(84, 100, 58, 100, 74), tempo_bpm=(84, 98), meters=(4, 4, 3),
            figures=("arpeggio", "broken", "offbeat", "stabs", "tremble", "pulse"),
            drive=2, kit="brushes", kit_programme=40, reverb=34,
        ),
        Style(
            "ambient", "Slow pads and bells with much space.",
            lead=(79, 11, 53), keys=(4, 11, 88), pad=(89, 88, 92), bass=(39, 39, 39),
            levels=(78, 88, 84, 84, 50), tempo_bpm=(72, 84), meters=(4,),
            figures=("broken", "arpeggio", "block", "tremble"),
            drive=1, kit="machine", kit_programme=0, reverb=80,
        ),
        Style(
            "cinematic", "Strings, piano, horns and low drums.",
            lead=(68, 73, 60), keys=(0, 46, 48), pad=(48, 49, 44), bass=(42, 43, 43),
            levels=(88, 92, 78, 92, 84), tempo_bpm=(80, 94), meters=(4, 4, 3),
            figures=("arpeggio", "broken", "block", "pulse", "stabs", "tremble", "offbeat"),
            drive=3, kit="orchestra", kit_programme=48, reverb=64,
        ),
        Style(
            "electronic", "Synthesisers over a drum machine.",
            lead=(80, 81, 81), keys=(5, 4, 87), pad=(89, 90, 95), bass=(38, 38, 39),
            levels=(66, 92, 66, 92, 84), tempo_bpm=(88, 98), meters=(4,),
            figures=("pulse", "arpeggio", "offbeat", "stabs", "broken", "tremble"),
            drive=3, kit="machine", kit_programme=25, reverb=40,
        ),
    )
}  # fmt: skip
"""All styles by name, in alphabetical order."""
