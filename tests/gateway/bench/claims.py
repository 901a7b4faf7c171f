"""What is claimed, and how it is printed."""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Claim(NamedTuple):
    """Something that is claimed of the gateway: what was found, and whether that is enough."""

    name: str
    value: float
    wanted: str
    met: bool
    detail: Sequence[str] = ()
    """How the value came about."""


def show(claims: Iterable[Claim]) -> bool:
    """Prints each claim as it is known, then a table of all in Markdown; True when all are met."""
    known = []
    for claim in claims:
        known.append(claim)
        for line in (f"{claim.name}: {claim.value:.4g} (wanted: {claim.wanted})", *claim.detail):
            sys.stderr.write(f"  {line}\n")
    rows = ["| what | found | wanted | met |", "|---|---|---|---|"]
    rows += [f"| {c.name} | {c.value:.4g} | {c.wanted} | {'yes' if c.met else '**no**'} |" for c in known]
    sys.stdout.write("\n".join(rows) + "\n")
    return all(claim.met for claim in known)
