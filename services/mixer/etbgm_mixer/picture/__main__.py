"""Looks through a video in a process of its own: usage python -m etbgm_mixer.picture REQUEST (JSON).

A damaged video may crash a decoder or make it hang; `watch.py`, which starts this, notices. Prints the
completed share from time to time, then the result as one line of JSON.
"""

import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from etbgm_mixer.picture.look import look

NICENESS = 5
"""Separation and recognition, for which the user waits, go first."""

MOST_BYTES = 6 << 30
"""Address space: a picture of the largest permitted size takes 50 MB, and decoders keep 16 of them."""


def main() -> int:
    """Prints the result; 1 if nothing of the picture can be decoded."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    asked = json.loads(sys.argv[1])

    def on_progress(share: float) -> None:
        sys.stdout.write(f"{share:.3f}\n")
        sys.stdout.flush()

    try:
        path = Path(asked.pop("path"))
        cuts, looks = look(path, on_progress=on_progress, **asked)
    except ValueError:
        return 1
    columns = {name: values.round(5).tolist() for name, values in asdict(looks).items()}
    sys.stdout.write(
        json.dumps({"cuts": [(cut.time_s, cut.strength, cut.kind) for cut in cuts], "looks": columns})
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
