"""The cuts that others find: ffmpeg's filter scdet and PySceneDetect, which only this benchmark uses."""

import re
import subprocess
from pathlib import Path

THRESHOLDS = (5, 10, 15, 20)
"""Of scdet, whose default is 10."""

Found = dict[str, list[float]]
"""Times of cuts in seconds, by the name of the method."""


def rivals(path: Path) -> Found:
    """Returns what each of them finds in a video."""
    return {**_scdet(path), **_scenedetect(path)}


def _scdet(path: Path) -> Found:
    command = [
        "ffmpeg",
        "-v",
        "info",
        "-i",
        str(path),
        "-vf",
        f"scdet=t={min(THRESHOLDS)}",
        "-f",
        "null",
        "-",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    found = re.findall(r"lavfi.scd.score: ([\d.]+), lavfi.scd.time: ([\d.]+)", said)
    return {
        f"ffmpeg scdet, threshold {t}": [float(at) for score, at in found if float(score) >= t]
        for t in THRESHOLDS
    }


def _scenedetect(path: Path) -> Found:
    """By the detectors' defaults, except that shots may be short."""
    try:
        from scenedetect import AdaptiveDetector, ContentDetector, detect
    except ImportError:
        return {}
    detectors = {"content": ContentDetector, "adaptive": AdaptiveDetector}
    return {
        f"PySceneDetect, {name}": [
            start.seconds for start, _ in detect(str(path), detector(min_scene_len=5))[1:]
        ]
        for name, detector in detectors.items()
    }
