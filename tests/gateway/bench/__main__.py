"""Prints what is claimed of the gateway under load, and what was found; the engines are simulated.

usage: python -m tests.gateway.bench [--quick] [--only GROUPS]
Needs PostgreSQL (Debian: postgresql) and moto's S3 server. With --quick, every number is smaller.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial

from tests.gateway.bench import cost, deletion, fairness, kills, refusals, replicas, transfers, watching
from tests.gateway.bench.claims import Claim, show


def main() -> int:
    """0 when every claim is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller numbers, in under two minutes")
    parser.add_argument("--only", default=",".join(groups(True)), help="some groups of claims")
    asked = parser.parse_args()
    known = groups(asked.quick)
    return 0 if show(claim for group in asked.only.split(",") for claim in known[group]()) else 1


def groups(quick: bool) -> dict[str, Callable[[], Iterator[Claim]]]:
    """The groups of claims by name."""
    return {
        "watching": partial(watching.claims, 50 if quick else 1000),
        "kills": partial(kills.claims, 3 if quick else 200, 8 if quick else 500),
        "replicas": partial(replicas.claims, 8 if quick else 64, 10 if quick else 60),
        "deletion": partial(deletion.claims, 4 if quick else 20),
        "cost": partial(cost.claims, 20 if quick else 200),
        "fairness": partial(fairness.claims, 40 if quick else 1000),
        "refusals": partial(refusals.claims, 24 if quick else 200),
        "transfers": partial(transfers.claims, 200 if quick else 1000, 20 if quick else 200),
        "events": partial(watching.events_claims, 50 if quick else 1000),
    }


if __name__ == "__main__":
    sys.exit(main())
