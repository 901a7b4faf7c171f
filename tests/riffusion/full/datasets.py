"""Small folders of music for tests of data sets and training."""

from pathlib import Path

import numpy as np
import soundfile

from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.dataset.build import Built, Music, build
from etbgm_riffusion.dataset.layout import Layout
from tests.riffusion.dataset.sounds import RATE_HZ, metre, plucks

MANIFEST = "source,licence,owner,credit\n*,CC BY 4.0,Test Studio,Played by nobody\n"


def write_music(root: Path) -> None:
    """Four pieces of two emotions, 11 to 12 s each, in different formats, and their manifest."""
    (root / "joy").mkdir(parents=True)
    (root / "sadness").mkdir()
    soundfile.write(root / "joy" / "march.wav", metre(132, 12.0), RATE_HZ)
    soundfile.write(root / "joy" / "waltz.flac", metre(150, 11.0, accent=3), RATE_HZ)
    slow = np.arange(0.2, 11, 1.7)
    soundfile.write(root / "sadness" / "bell.ogg", plucks(*slow, duration_s=11.5, pitch_hz=500), RATE_HZ)
    sparse = plucks(*np.arange(0.1, 11, 1.1), duration_s=11.5, pitch_hz=150)
    soundfile.write(root / "sadness" / "low.mp3", sparse[:, 0], RATE_HZ)
    (root / "manifest.csv").write_text(MANIFEST)


def no_progress(source: str, done_s: float) -> None:
    """Hears of progress."""


def composer() -> ComposerEngine:
    """A loaded composer."""
    engine = ComposerEngine(None)
    engine.load()
    return engine


def built(root: Path, out: Path, manifest: Path | None = None, **layout: object) -> Built:
    """Builds a data set without sounds to play."""
    values = {"previews": 0, "validation_share": 0.3} | layout
    music = Music(root, manifest or root / "manifest.csv")
    return build(music, out, Layout(**values), composer(), no_progress)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    """The data set's files, without what only a later build uses."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] != "records"
    }
