"""Textures: how full the arrangement is and who leads it, as data.

The random seed picks one for the whole piece, the same in every style and emotion. A texture changes how
much there is of everything, never the directions by which emotions differ (`profiles`).
"""

from dataclasses import dataclass, field, replace

from etbgm_riffusion.composer.chance import turn
from etbgm_riffusion.composer.profiles import Means


@dataclass(frozen=True, slots=True)
class Texture:
    """One way to arrange a piece."""

    name: str
    tempo: float
    """Ratio to the style's tempo."""
    density: float
    """Ratio to the emotion's density."""
    drive: float
    """Added to the emotion's amount of percussion."""
    entries: dict[str, int]
    """Bars that a role waits at the start of a piece, if the first section is long enough."""
    rests: tuple[tuple[str, ...], ...]
    """Roles that are silent in each period of eight bars, in turn. Lead, bass and drums always play."""
    figure: int
    """Which of the emotion's figures the accompaniment plays (`profiles.Profile.figures`)."""
    balance_db: dict[str, float] = field(default_factory=dict)
    """Levels of roles relative to `balance.BALANCE_DB`."""


TEXTURES: tuple[Texture, ...] = (
    Texture(
        "band", tempo=1.0, density=1.0, drive=0.2, entries={"drums": 1, "counter": 4},
        rests=((), (), ("counter",), ("pad",)), figure=1,
    ),
    Texture(
        "chamber", tempo=0.985, density=0.96, drive=-0.2, entries={"drums": 2, "pad": 2, "counter": 8},
        rests=(("pad",), (), ("pad", "counter")), figure=0,
        balance_db={"keys": 1.5, "lead": 1, "drums": -1.5},
    ),
    Texture(
        "drive", tempo=1.015, density=1.04, drive=0.2, entries={"counter": 4, "pad": 2},
        rests=(("counter",), ("pad",), ()), figure=2,
        balance_db={"drums": 1, "bass": 1, "pad": -2},
    ),
    Texture(
        "wide", tempo=0.995, density=0.98, drive=-0.1, entries={"drums": 2, "counter": 4},
        rests=((), ("counter",), ()), figure=0,
        balance_db={"pad": 1.5, "counter": 3, "keys": -1, "drums": -1},
    ),
    Texture(
        "duo", tempo=1.0, density=1.04, drive=-0.2, entries={"drums": 2, "pad": 4, "counter": 8},
        rests=(("pad", "counter"), ("pad",), ("pad", "counter"), ()), figure=1,
        balance_db={"keys": 1.5, "drums": -1.5, "pad": -1.5},
    ),
)  # fmt: skip
"""All textures."""


def texture_of(random_seed: int) -> Texture:
    """Returns the texture of this random seed's pieces; neighbouring random seeds have different ones."""
    return TEXTURES[turn(random_seed, len(TEXTURES), "texture")]


def textured(means: Means, texture: Texture) -> Means:
    """Returns the musical means as the texture arranges them."""
    drive = means.drive + texture.drive if means.drive > 0.5 else means.drive
    return replace(
        means,
        tempo=means.tempo * texture.tempo,
        density=max(0.4, means.density * texture.density),
        drive=min(3.0, max(0.0, drive)),
    )
