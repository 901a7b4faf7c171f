"""Makes the sample video of `make demo`: a story in four emotions over moving pictures and noise.

usage: python demo_video.py OUTPUT.mp4

The story is spoken by flite (voice slt), which recognisers understand; the pink
noise under it is there to be removed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

STORY = {
    "neutral": [
        "On Monday I took the train to the office in the city.",
        "The meeting was in the second room on the left.",
        "We read the report and wrote down the numbers.",
        "Then I went to the shop and bought some bread.",
    ],
    "joy": [
        "And then I got the news, and I am so happy.",
        "We won the prize, this is the best day of my life!",
        "I love this, thank you so much, what a wonderful surprise.",
        "Everybody was laughing and dancing, it was great fun.",
    ],
    "fear": [
        "But at night I heard a noise, and I was so scared.",
        "I was afraid that someone was in the house.",
        "I am terrified of the dark, I was shaking with fear.",
        "It was the most frightening night, I was very nervous.",
    ],
    "sadness": [
        "In the morning we found that our old dog had died.",
        "I am so sad, I cried all day, I miss him so much.",
        "It hurts, I feel so lonely and sorry without him.",
        "This is a terrible loss, and my heart is broken.",
    ],
}
"""What is said, by emotion."""

PICTURES = {
    "neutral": "c0=0x8899aa:c1=0xccd5dd:type=linear",
    "joy": "c0=0xffc93c:c1=0xff6f3c:type=radial",
    "fear": "c0=0x1b1b2f:c1=0x4b3f72:type=spiral",
    "sadness": "c0=0x274472:c1=0x5885af:type=circular",
}
"""ffmpeg's `gradients` source for each emotion."""

SAMPLE_RATE_HZ = 48000
PAUSE_S = 0.9
"""Between sentences."""

REST_S = 2.5
"""Before the first sentence, between emotions, after the last."""

NOISE_DB = -20.0
"""RMS of the noise against the RMS of the speech."""


def speak(sentence: str, folder: Path) -> np.ndarray:
    """The sentence as flite says it: (samples,) float32 at SAMPLE_RATE_HZ."""
    path = folder / "sentence.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", sentence, "-o", path], check=True)
    high = folder / "sentence48.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", path, "-ar", str(SAMPLE_RATE_HZ), high], check=True)
    return soundfile.read(high, dtype="float32")[0]


def narrate(folder: Path) -> tuple[np.ndarray, list[float]]:
    """The whole story, (samples,) float32, and the duration of each emotion in seconds."""
    parts = [_silence(REST_S)]
    durations_s = []
    for sentences in STORY.values():
        begin = len(parts)
        for sentence in sentences:
            parts += [speak(sentence, folder), _silence(PAUSE_S)]
        parts.append(_silence(REST_S - PAUSE_S))
        durations_s.append(sum(len(part) for part in parts[begin:]) / SAMPLE_RATE_HZ)
    durations_s[0] += REST_S
    return np.concatenate(parts), durations_s


def add_noise(speech: np.ndarray) -> np.ndarray:
    """The speech over pink noise (1/f power), the same at every call."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(len(speech)))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum, len(speech))
    spoken_rms = np.sqrt(np.mean(speech[np.abs(speech) > 0.01] ** 2))
    noise *= spoken_rms * 10 ** (NOISE_DB / 20) / np.sqrt(np.mean(noise**2))
    return (speech + noise).astype(np.float32)


def make_video(sound: Path, durations_s: list[float], output: Path) -> None:
    """Writes the video: one moving gradient per emotion, 640x360 at 25 frames/s."""
    inputs = []
    for picture, duration_s in zip(PICTURES.values(), durations_s, strict=True):
        source = f"gradients=s=640x360:r=25:d={duration_s:.2f}:speed=0.02:seed=1:{picture}"
        inputs += ["-f", "lavfi", "-i", source]
    joined = "".join(f"[{i}:v]" for i in range(len(PICTURES))) + f"concat=n={len(PICTURES)}[v]"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", *inputs, "-i", sound, "-filter_complex", joined, "-map", "[v]"]
        + ["-map", f"{len(PICTURES)}:a", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
        + ["-c:a", "aac", "-b:a", "128k", "-shortest", "-movflags", "+faststart", output],
        check=True,
    )


def _silence(duration_s: float) -> np.ndarray:
    return np.zeros(round(duration_s * SAMPLE_RATE_HZ), np.float32)


def main() -> None:
    """Makes the video unless it is there."""
    output = Path(sys.argv[1])
    if output.exists():
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speech, durations_s = narrate(folder)
        soundfile.write(folder / "sound.wav", add_noise(speech), SAMPLE_RATE_HZ)
        make_video(folder / "sound.wav", durations_s, folder / output.name)
        (folder / output.name).rename(output)


if __name__ == "__main__":
    main()
