"""The piece of music that each variant gets. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from etbgm.gateway.v1 import gateway_pb2
from etbgm_kit.errors import InvalidField
from etbgm_kit.seeds import DEFAULT_VARIANTS, random_seeds


@dataclass(frozen=True, slots=True)
class Piece:
    """The music of the variant `number`, from 1: its random seed and requested style."""

    number: int
    random_seed: int
    style: str


def variants_of(settings: gateway_pb2.JobSettings) -> int:
    """Returns the number of variants that the settings ask for."""
    return settings.variants if settings.HasField("variants") else DEFAULT_VARIANTS


def pieces_of(settings: gateway_pb2.JobSettings, sha256: str) -> Sequence[Piece]:
    """Returns the pieces of all variants, in order; `sha256` is the hash of the video."""
    base = settings.random_seed if settings.HasField("random_seed") else None
    own = {one.number: one for one in settings.variant_settings}
    pieces = []
    for number, seed in enumerate(random_seeds(variants_of(settings), base, sha256), 1):
        one = own.get(number, gateway_pb2.VariantSettings())
        random_seed = one.random_seed if one.HasField("random_seed") else seed
        pieces.append(Piece(number, random_seed, one.style or settings.style or "auto"))
    return pieces


def check_variants(settings: gateway_pb2.JobSettings, duration_s: float, most_s: float) -> None:
    """Raises InvalidField if the variants of a video of `duration_s` exceed `most_s` together."""
    variants = variants_of(settings)
    if variants * duration_s > most_s:
        raise InvalidField(
            "settings.variants",
            f"{variants} variants of {duration_s:,.0f} s are {variants * duration_s:,.0f} s of video, "
            f"the limit is {most_s:,.0f} s (ETBGM_MAX_VARIANT_S)",
        )
