"""Films of 1920 × 1080 whose cuts are known: shots of ffmpeg's sources and of real videos, joined.

What is drawn small in `films.py` is enlarged; moving pictures get grain. Real videos come from the folder
that ETBGM_TEST_DATA names; without it, the films have fewer shots.
"""

import itertools
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.mixer.picture.films import HEIGHT, RATE, WIDTH, Film, films

SIZE = (1920, 1080)

GRAIN = "noise=alls=3:allf=t"

SOURCES = (
    "mandelbrot=s=960x540:r=25:start_scale=1.2:end_pts=900",
    "testsrc2=s=1920x1080:r=25",
    "gradients=s=1920x1080:r=25:speed=0.05:seed=3:nb_colors=6",
    "cellauto=s=480x270:rule=18:r=25:seed=5,avgblur=2",
    "life=s=480x270:r=25:mold=10:ratio=0.4:seed=9:death_color=#0a1440:life_color=#e0c060,avgblur=1",
    "mandelbrot=s=960x540:r=25:start_x=-0.16:start_y=-1.04:start_scale=0.1,hue=h=120",
    "gradients=s=1920x1080:r=25:speed=0.02:seed=11:nb_colors=4:type=spiral",
    "rgbtestsrc=s=1920x1080:r=25,rotate=0.2*t",
)
"""Moving pictures that ffmpeg draws."""

REAL = (
    ("mp_bbb_0_30.webm", 4.0, 7.0), ("mp_bbb_0_30.webm", 12.5, 2.6), ("mp_bbb_0_30.webm", 16.4, 3.0),
    ("mp_bbb_0_30.webm", 25.5, 3.0), ("skv_bikes.mp4", 0.1, 1.0), ("skv_bikes.mp4", 1.7, 1.1),
    ("skv_bikes.mp4", 3.6, 1.4), ("skv_bikes.mp4", 5.6, 1.2), ("skv_bikes.mp4", 7.6, 2.0),
    ("nasa_13013.mp4", 0.5, 3.5), ("nasa_13013.mp4", 6.2, 1.1), ("nasa_13013.mp4", 9.0, 4.0),
)  # fmt: skip
"""Parts of real videos within one shot: name, start and length in seconds."""


LARGE_CODINGS = {
    name: ["-c:v", "libx264", "-threads", "1", "-preset", "superfast", *options.split()]
    for name, options in {
        "x264": "-crf 23",
        "fixed 10 s": "-crf 23 -g 250 -sc_threshold 0",
        "fixed 2 s, 4 Mbit/s": "-b:v 4M -maxrate 4M -bufsize 2M -g 50 -sc_threshold 0",
    }.items()
}
"""Options of ffmpeg by name; only x264 alone places intra pictures at cuts."""


@dataclass
class Footage:
    """Shots as ffmpeg's filters, each with its number of frames; all transitions are hard cuts."""

    name: str
    shots: list[tuple[str, int]] = field(default_factory=list)

    @property
    def cuts(self) -> list[tuple[int, str]]:
        """First frames of all shots but the first, as in `Film`."""
        at, found = 0, []
        for _, count in self.shots[:-1]:
            at += count
            found.append((at, "hard"))
        return found

    @property
    def length_s(self) -> float:
        """Duration in seconds."""
        return sum(count for _, count in self.shots) / RATE

    def shortened(self, seconds: float) -> "Footage":
        """The film of its first shots that last so long together."""
        ends = itertools.accumulate(count for _, count in self.shots)
        number = next((i for i, end in enumerate(ends, 1) if end >= seconds * RATE), len(self.shots))
        return replace(self, shots=self.shots[:number])


def footages() -> Iterator[Footage]:
    """The set: usual and quick cuts, a film of pans, flashes and shaking, one of dark shots."""
    shots = _shots()
    usual = [(shot, min(most, (62, 95, 41, 77, 118)[i % 5])) for i, (shot, most) in enumerate(shots)]
    yield Footage("usual cuts", usual[:12])
    quick = [(shot, (14, 22, 31, 18, 25)[i % 5]) for i, (shot, _) in enumerate(shots[::-1] + shots[::2])]
    yield Footage("quick cuts", quick)
    wide = "scale=5760:1080,crop=1920:1080:x='{x}':y=0"
    stills = [f"{SOURCES[i]},trim=end_frame=1,loop=loop=-1:size=1" for i in (0, 5, 2)]
    pans = [
        f"{still},{wide.format(x=f'abs(mod({speed}*n,7680)-3840)')}"
        for still, speed in zip(stills, (12, 60, 160), strict=True)
    ]
    flash = "eq=brightness='if(lt(mod(n,55),3),0.9-0.3*mod(n,55),0)':eval=frame"
    shake = "crop=1760:990:x='80+70*sin(2.1*n)':y='45+40*sin(1.7*n)'"
    yield Footage("pans and flashes", [*((pan, 100) for pan in pans), (f"{stills[0]},{flash}", 200),
                                       (f"{SOURCES[1]},{shake}", 65)])  # fmt: skip
    dark = "eq=contrast=0.4:brightness=-0.25"
    yield Footage("dark cuts", [(f"{shot},{dark}", min(most, 50)) for shot, most in shots[1::2]])


def _shots() -> list[tuple[str, int]]:
    """Sources and parts of real videos in turn: filters, and most frames."""
    folder = os.environ.get("ETBGM_TEST_DATA")
    drawn = [(source, 150) for source in SOURCES]
    if not folder:
        return drawn
    real = [
        (f"movie={Path(folder) / 'video/real' / name}:sp={start},trim=start={start},setpts=PTS-STARTPTS",
         int(length * RATE))
        for name, start, length in REAL
    ]  # fmt: skip
    mixed = [shot for pair in zip(drawn, real, strict=False) for shot in pair]
    return mixed + real[len(drawn) :]


def write_footage(footage: Footage, path: Path, options: Sequence[str]) -> Path:
    """Encodes footage with ffmpeg's `options`."""
    width, height = SIZE
    chains = [
        f"{shot},fps={RATE},scale={width}:{height},setsar=1,{GRAIN},format=yuv420p,"
        f"tpad=stop=-1:stop_mode=clone,trim=end_frame={count},setpts=N/{RATE}/TB[s{i}]"
        for i, (shot, count) in enumerate(footage.shots)
    ]
    joined = "".join(f"[s{i}]" for i in range(len(chains)))
    graph = ";".join([*chains, f"{joined}concat=n={len(chains)}:v=1,setpts=N/{RATE}/TB[v]"])
    command = ["ffmpeg", "-v", "error", "-y", "-filter_complex_threads", "1", "-filter_complex", graph]
    subprocess.run([*command, "-map", "[v]", "-fps_mode", "passthrough", *options, str(path)], check=True)
    return path


def write_drawn(film: Film, path: Path, options: Sequence[str]) -> Path:
    """Encodes a drawn film, enlarged."""
    width, height = SIZE
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-r", str(RATE)]
    command += ["-s", f"{WIDTH}x{HEIGHT}", "-i", "-", "-vf", f"scale={width}:{height},format=yuv420p"]
    with subprocess.Popen([*command, *options, str(path)], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for draw in film.frames:
            process.stdin.write(draw().tobytes())
        process.stdin.close()
    assert process.returncode == 0
    return path


def drawn() -> Iterator[Film]:
    """Slides and screen recordings."""
    yield from (film for film in films() if film.name in ("slides light", "screens"))
