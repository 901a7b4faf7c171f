"""The model card inside an adapter's file: what it was trained on, and with what right.

It is an entry of the safetensors header, so it cannot be separated from the weights. Adapters from
elsewhere have none.
"""

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from etbgm_kit.models.catalogue import ingredient
from etbgm_kit.types import Ingredient

CARD_KEY = "etbgm_card"

_LARGEST_HEADER = 100 << 20
"""The safetensors format's own limit."""

_CREDITS_SHOWN = 5


class CardSource(BaseModel):
    """A source of the data set, with its rights."""

    model_config = ConfigDict(frozen=True)

    source: str
    sha256: str
    licence: str
    owner: str
    commercial_use: bool | None
    credit: str = ""
    clips: int = 0


class Card(BaseModel):
    """The card; `recipe`, `results` and `versions` are for people and not interpreted."""

    model_config = ConfigDict(frozen=True)

    name: str
    made_by: str
    base: str
    """The model that the adapter belongs to."""
    sources: tuple[CardSource, ...]
    recipe: dict[str, Any] = {}
    results: dict[str, Any] = {}
    versions: dict[str, str] = {}
    data: dict[str, Any] = {}
    """How the data set was made."""

    @property
    def licence(self) -> str:
        """The licences of all sources, as an SPDX expression."""
        return " AND ".join(sorted({source.licence for source in self.sources})) or "unknown"

    @property
    def commercial_use(self) -> bool | None:
        """False if any source forbids it, None if any does not say, otherwise True."""
        said = {source.commercial_use for source in self.sources}
        return False if False in said else None if None in said or not said else True

    @property
    def credits(self) -> tuple[str, ...]:
        """Whom to name, in alphabetical order."""
        return tuple(sorted({source.credit for source in self.sources if source.credit}))

    def note(self) -> str:
        """Returns a sentence for the user of a result."""
        owners = sorted({source.owner for source in self.sources})
        named = self.credits[:_CREDITS_SHOWN]
        more = f" and {len(self.credits) - len(named)} more" if len(self.credits) > len(named) else ""
        credit = f" Name: {', '.join(named)}{more}." if named else ""
        return f"Trained on {len(self.sources)} sources of {_listed(owners)}.{credit}"


def read_card(file: Path) -> Card | None:
    """Returns the card in an adapter's file; None if there is none or it is broken. Reads the header only."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LARGEST_HEADER:
                return None
            header = json.loads(stream.read(length))
        return Card.model_validate_json(header["__metadata__"][CARD_KEY])
    except (OSError, ValueError, KeyError, TypeError, struct.error, ValidationError):
        return None


def ingredient_of(name: str, card: Card | None) -> Ingredient:
    """Returns the adapter in the form that results carry; without a card, its licence is unknown."""
    if card is None:
        return ingredient(name)
    return replace(
        ingredient(name, card.made_by),
        licence=card.licence,
        commercial_use=card.commercial_use,
        note=card.note(),
    )


def _listed(owners: list[str]) -> str:
    if len(owners) > _CREDITS_SHOWN:
        return f"{len(owners)} owners"
    return ", ".join(owners) or "nobody"
