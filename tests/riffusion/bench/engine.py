"""What the composer promises as an engine: stems, cuts, bytes, speed and memory."""

import hashlib
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from etbgm_kit.types import Emotion, EmotionTimeline, Span
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.composer.sound.render import roles_of
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.types import CueRequest, Piece
from tests.riffusion.bench.pieces import RATE_HZ, sound_of, timeline_of
from tests.riffusion.bench.table import Claim, share

STEMS_DB = -60.0
LEAST_SPEED = 25.0
MOST_MEMORY = 1.5
SPEED_S, SHORT_S, LONG_S = 180.0, 60.0, 7200.0
SECTION_S = 20.0
CUTS = 12


def timeline_like(duration_s: float) -> EmotionTimeline:
    """All emotions in turn, 20 s each."""
    return timeline_of(*np.arange(0, duration_s + 1, SECTION_S).tolist(), emotions=itertools.cycle(Emotion))


def claims() -> Iterator[Claim]:
    """All of it; some minutes."""
    yield _stems()
    yield _cuts()
    with TemporaryDirectory() as folder:
        yield from _same_bytes(Path(folder))
        yield from _speed(Path(folder))
    yield _memory()


def _stems() -> Claim:
    """What the stems' sum leaves of the bed, at worst over the styles."""
    left_db = []
    for style in STYLES:
        score = compose(Piece(timeline_like(40.0), (Span(8, 20),), 3, style))
        bed, *stems = sound_of(score, roles=roles_of(score))
        left = bed - np.sum(stems, axis=0)
        left_db.append((10 * np.log10((left**2).mean() / (bed**2).mean()), style))
    worst, style = max(left_db)
    return Claim("stems sum to the bed, dB left", worst, f"≤ {STEMS_DB:.0f}", worst <= STEMS_DB, [style])


def _cuts() -> Claim:
    score = compose(Piece(timeline_like(80.0), (Span(8, 20),), 3, "cinematic"))
    whole = sound_of(score)[0]
    chance = np.random.default_rng(1)
    wrong = []
    for cut_s in chance.uniform(1, 79, CUTS):
        parts = [sound_of(score, Span(*edges))[0] for edges in ((0.0, cut_s), (cut_s, score.duration_s))]
        if not np.array_equal(np.concatenate(parts), whole):
            wrong.append(f"cut at {cut_s:.4f} s")
    return share("two cues are the whole, sample by sample", CUTS, wrong, 1.0)


def _same_bytes(folder: Path) -> Iterator[Claim]:
    program = "import sys; from tests.riffusion.bench.engine import digest; print(digest(sys.argv[1]))"
    here = [digest(str(folder)), digest(str(folder))]
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    )
    wrong = [] if len({*here, done.stdout.strip()}) == 1 else ["they differ"]
    yield share("the same bytes in two runs and in another process", 1, wrong, 1.0)


def digest(folder: str) -> str:
    """SHA-256 of a piece's FLAC and MIDI files."""
    engine, path = _engine(), Path(folder) / "music.flac"
    request = CueRequest(Piece(timeline_like(40.0), (Span(8, 20),), 3, "auto"), Span(0, 40), 48000)
    midi = engine.generate(request, path, _ignore).midi
    return hashlib.sha256(path.read_bytes() + midi).hexdigest()


def _speed(folder: Path) -> Iterator[Claim]:
    """Composing, rendering and writing 3 minutes with all emotions, in CPU time."""
    speeds = []
    engine = _engine()
    for style in STYLES:
        piece = Piece(timeline_like(SPEED_S), (Span(30, 60),), 1, style)
        started = time.process_time()
        engine.generate(CueRequest(piece, Span(0, SPEED_S), 48000), folder / "music.flac", _ignore)
        speeds.append((SPEED_S / (time.process_time() - started), style))
    least = min(speeds)[0]
    detail = [f"{style}: {speed:.0f}" for speed, style in speeds]
    yield Claim(
        "times real time on one core, at least", least, f"≥ {LEAST_SPEED:.0f}", least >= LEAST_SPEED, detail
    )


def _memory() -> Claim:
    """Peak memory of a process that renders two hours against one that renders a minute."""
    program = (
        "import sys; from tests.riffusion.bench.engine import peak_mb; print(peak_mb(float(sys.argv[1])))"
    )
    peaks = []
    for duration_s in (SHORT_S, LONG_S):
        run = [sys.executable, "-c", program, str(duration_s)]
        peaks.append(float(subprocess.run(run, capture_output=True, text=True, check=True).stdout))
    ratio = peaks[1] / peaks[0]
    detail = [f"{mb:.0f} MB" for mb in peaks]
    return Claim("memory for 2 h against 1 min", ratio, f"≤ {MOST_MEMORY}", ratio <= MOST_MEMORY, detail)


def peak_mb(duration_s: float) -> float:
    """Of this process, after generating a piece of this length.

    VmHWM begins anew with each program; getrusage's peak is at least that of whoever started it.
    """
    with TemporaryDirectory() as folder:
        piece = Piece(timeline_like(duration_s), (Span(8, 20),), 3, "pop")
        path = Path(folder) / "music.flac"
        _engine().generate(CueRequest(piece, Span(0, duration_s), 44100), path, _ignore)
        assert soundfile.info(path).frames == round(duration_s * RATE_HZ)
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def _engine() -> ComposerEngine:
    engine = ComposerEngine(None)
    engine.load()
    return engine


def _ignore(share_done: float) -> None:
    """Takes progress reports."""
