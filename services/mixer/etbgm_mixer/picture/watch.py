"""Watches a video and hears its sound: starts the process that looks, and draws the curves of the mood."""

import json
import sys
from pathlib import Path

import numpy as np

from etbgm_kit.types import Cut, CutKind
from etbgm_mixer.media import ffmpeg

# Its code belongs to the revision of what the process returns.
from etbgm_mixer.picture import look as looking
from etbgm_mixer.picture.groups import Floats
from etbgm_mixer.picture.mood import mood
from etbgm_mixer.picture.seconds import Looks
from etbgm_mixer.sound import blocks, opened
from etbgm_mixer.types import MediaFacts, OnProgress, Seen

UNSEEN = "The picture could not be decoded, so the music does not follow it."

SILENT_DB = -100.0


def watch(
    video: Path, facts: MediaFacts, sound: Path | None, on_progress: OnProgress, timeout_s: float
) -> Seen:
    """Returns the cuts and the mood, or a note if the picture cannot be decoded.

    Raises InvalidField (the sound is unreadable), and what `on_progress` raises.
    """
    request = {
        "path": str(video),
        "index": facts.video.index,
        "origin_s": facts.origin_s,
        "duration_s": facts.duration_s,
        "pixels": facts.video.width * facts.video.height,
        "budget_px_per_s": looking.BUDGET_PX_PER_S,
    }
    command = [sys.executable, "-m", "etbgm_mixer.picture", json.dumps(request)]
    said = ""
    try:
        for line in ffmpeg.lines(command, timeout_s):
            said = line
            if not said.startswith("{"):
                on_progress(0.9 * float(said))
    except (TimeoutError, ValueError):
        return Seen((), None, (UNSEEN,))
    if not said.startswith("{"):
        return Seen((), None, (UNSEEN,))
    found = json.loads(said)
    cuts = tuple(Cut(time_s, strength, CutKind(kind)) for time_s, strength, kind in found["cuts"])
    looks = Looks(**{name: np.array(values) for name, values in found["looks"].items()})
    return Seen(cuts, mood(looks, cuts, energies_db(sound, len(looks.motion))))


def energies_db(sound: Path | None, seconds: int) -> Floats:
    """Returns the energy of each second in dBFS, (seconds,); SILENT_DB without sound."""
    levels = np.full(seconds, SILENT_DB)
    if sound:
        with opened(sound, "audio") as file:
            for i, block in zip(range(seconds), blocks(file), strict=False):
                levels[i] = 10 * np.log10(max(1e-10, float(np.square(block).mean())))
    return levels
