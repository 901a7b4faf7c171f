"""Claims and how they are printed."""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Claim(NamedTuple):
    """Something that is claimed of the music: what was found, and whether that is enough."""

    name: str
    value: float
    wanted: str
    met: bool
    detail: Sequence[str] = ()
    """What failed, or what the value is made of."""


def share(name: str, total: int, wrong: Sequence[str], least: float) -> Claim:
    """A claim that holds for at least a share of `total` cases; `wrong` names the others."""
    value = 1 - len(wrong) / max(1, total)
    return Claim(f"{name} ({total})", value, f"≥ {least:.0%}", total > 0 and value >= least, wrong)


def show(claims: Iterable[Claim], detailed: bool) -> bool:
    """Prints rows of Markdown as they come; True when all are met."""
    say("| what | found | wanted | met |\n|---|---|---|---|")
    met = True
    for claim in claims:
        value = f"{claim.value:.1%}" if "%" in claim.wanted else f"{claim.value:.4g}"
        say(f"| {claim.name} | {value} | {claim.wanted} | {'yes' if claim.met else '**no**'} |")
        met &= claim.met
        if detailed:
            for line in claim.detail:
                sys.stderr.write(f"    {line}\n")
    return met


def say(line: str) -> None:
    """Writes one line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
