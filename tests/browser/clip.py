"""A short video with speech, as a creator would drop it."""

import subprocess
from pathlib import Path

import numpy as np
import soundfile

from tests.pipeline.demo_video import SAMPLE_RATE_HZ, speak

SENTENCES = (
    "We won the prize, this is the best day of my life!",
    "I am so sad, I cried all day, I miss him so much.",
)
PAUSE_S = 1.0


def make(folder: Path) -> Path:
    """Writes about 10 s of two emotions over a moving picture with a running clock."""
    silence = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    parts = [part for sentence in SENTENCES for part in (silence, speak(sentence, folder))]
    sound, video = folder / "sound.wav", folder / "best day.mp4"
    soundfile.write(sound, np.concatenate([*parts, silence]), SAMPLE_RATE_HZ)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=60", "-i", sound]
        + ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k"]
        + ["-shortest", "-movflags", "+faststart", video],
        check=True,
    )
    return video
