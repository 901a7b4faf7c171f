"""Films whose cuts are known because of how they are made: drawn shots, joined and encoded.

A shot is a function of its frame number, (height, width, 3) uint8 RGB. Scenes are clouds of 1/f noise, whose
spectra are those of natural images (Field 1987), with moving shapes; slides and screens are drawn with
Pillow.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Frame = NDArray[np.uint8]
Shot = Callable[[int], Frame]

WIDTH, HEIGHT, RATE = 320, 180, 25


@dataclass
class Film:
    """Frames to come, and the cuts between them: (frame number of the first new picture, kind)."""

    name: str
    frames: list[Callable[[], Frame]] = field(default_factory=list)
    cuts: list[tuple[int, str]] = field(default_factory=list)

    @property
    def length_s(self) -> float:
        """Duration in seconds."""
        return len(self.frames) / RATE

    def add(self, shot: Shot, count: int, cut: bool = True) -> "Film":
        """Appends `count` frames of a shot; `cut`: the transition to it counts."""
        if self.frames and cut:
            self.cuts.append((len(self.frames), "hard"))
        self.frames += [lambda i=i: shot(i) for i in range(count)]  # type: ignore[misc]
        return self

    def dissolve(self, one: Shot, other: Shot, count: int, kind: str = "dissolve") -> "Film":
        """Appends `count` frames that lead from one shot to the other; its middle counts."""
        self.cuts.append((len(self.frames) + count // 2, kind))
        for i in range(count):
            share = (i + 1) / (count + 1)
            self.frames.append(lambda i=i, s=share: blend(one(i), other(i), s))  # type: ignore[misc]
        return self


def bounced(place: float, size: float) -> float:
    """The place of what turns round at the edges 0 and `size`."""
    return size - abs(place % (2 * size) - size)


def later(shot: Shot, frames: int) -> Shot:
    """The shot, begun `frames` earlier."""
    return lambda i: shot(i + frames)


def blend(one: Frame, other: Frame, share: float) -> Frame:
    """`share` of the other frame over the first."""
    return (one * (1 - share) + other * share).astype(np.uint8)


def cloud(seed: int, width: int = WIDTH, height: int = HEIGHT, slope: float = 1.0) -> Frame:
    """A coloured image with a spectrum of 1/f^slope."""
    chance = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    fall = np.maximum(np.hypot(fx, fy), 1 / max(width, height)) ** -slope
    image = np.empty((height, width, 3))
    shared = chance.standard_normal(fall.shape) + 1j * chance.standard_normal(fall.shape)
    tint = chance.uniform(50, 200, 3)
    for channel in range(3):
        own = chance.standard_normal(fall.shape) + 1j * chance.standard_normal(fall.shape)
        plane = np.fft.irfft2(fall * (shared + 0.5 * own), (height, width))
        image[..., channel] = tint[channel] + 38 * plane / plane.std()
    return np.clip(image, 0, 255).astype(np.uint8)


def scene(seed: int, pan: float = 0.0, shake: float = 0.4, blobs: int = 3, light: float = 1.0) -> Shot:
    """A view into a cloud that moves by `pan` pixels a frame and shakes, with moving discs before it."""
    chance = np.random.default_rng(seed)
    wide = cloud(seed, 3 * WIDTH, HEIGHT + 40)
    start = chance.uniform(20, 60)
    discs = [
        (chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT), *chance.uniform(-3, 3, 2),
         chance.uniform(10, 35), chance.uniform(0, 255, 3))
        for _ in range(blobs)
    ]  # fmt: skip
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]

    def draw(i: int) -> Frame:
        wobble = np.random.default_rng([seed, i]).standard_normal(2) * shake
        x = round(bounced(start + pan * i + wobble[0], 2 * WIDTH))
        y = min(40, max(0, round(20 + wobble[1])))
        frame = wide[y : y + HEIGHT, x : x + WIDTH].copy()
        for cx, cy, vx, vy, radius, colour in discs:
            x, y = bounced(cx + vx * i, WIDTH), bounced(cy + vy * i, HEIGHT)
            inside = (xx - x) ** 2 + (yy - y) ** 2 < radius**2
            frame[inside] = colour
        return (frame * light).astype(np.uint8)

    return draw


def plain(grey: int) -> Shot:
    """One grey everywhere."""
    return lambda _: np.full((HEIGHT, WIDTH, 3), grey, np.uint8)


def flashing(shot: Shot, at: Sequence[int], length: int = 3) -> Shot:
    """The shot with white flashes that fade within `length` frames."""

    def draw(i: int) -> Frame:
        for start in at:
            if start <= i < start + length:
                return blend(shot(i), plain(250)(0), 1 - (i - start) / length)
        return shot(i)

    return draw


def slide(seed: int, lines: int = 6, dark: bool = False) -> Shot:
    """A slide: a title, lines of text and perhaps a figure, on one background for all slides."""
    chance = np.random.default_rng(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT), "#20242c" if dark else "white")
    pen = ImageDraw.Draw(image)
    ink = "white" if dark else "#222222"
    pen.rectangle((0, 0, WIDTH, 4), fill="#3366cc")
    pen.rectangle((20, 18, 20 + int(chance.integers(90, 240)), 30), fill=ink)
    for line in range(lines):
        x = 24
        for _ in range(int(chance.integers(3, 9))):
            length = int(chance.integers(8, 34))
            if x + length < WIDTH - 20:
                pen.rectangle((x, 48 + 19 * line, x + length, 54 + 19 * line), fill=ink)
            x += length + 6
    if chance.random() < 0.5:
        x, y = int(chance.integers(150, 220)), int(chance.integers(40, 100))
        pen.rectangle((x, y, x + 80, y + 60), fill=tuple(int(c) for c in chance.integers(0, 255, 3)))
    frame = np.asarray(image)
    return lambda _: frame


def screen(seed: int) -> Shot:
    """A screen recording: windows, a moving pointer, text that appears by letters, a menu that opens."""
    chance = np.random.default_rng(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT), tuple(int(c) for c in chance.integers(30, 200, 3)))
    pen = ImageDraw.Draw(image)
    for _ in range(3):
        x, y = (int(v) for v in chance.integers(0, 140, 2) // (1, 2))
        w, h = (int(v) for v in chance.integers(90, 180, 2) // (1, 2))
        pen.rectangle((x, y, x + w, y + h), fill=tuple(int(c) for c in chance.integers(120, 255, 3)))
        pen.rectangle((x, y, x + w, y + 8), fill=tuple(int(c) for c in chance.integers(0, 120, 3)))
    pointer = chance.uniform(20, 150, 2)
    step = chance.uniform(-1, 1, 2)

    def draw(i: int) -> Frame:
        picture = image.copy()
        now = ImageDraw.Draw(picture)
        for letter in range(i // 3 % 60):
            x, y = 40 + 6 * (letter % 20), 40 + 10 * (letter // 20)
            now.rectangle((x, y, x + 3, y + 5), fill="black")
        if 40 <= i % 150 < 90:
            now.rectangle((200, 20, 260, 100), fill="#f4f4f4")
        x, y = (pointer + step * i) % 170
        now.polygon([(x, y), (x, y + 10), (x + 6, y + 7)], fill="white", outline="black")
        return np.asarray(picture)

    return draw


def films() -> Iterator[Film]:
    """The set: hard cuts of several rhythms, dissolves and fades, flashes, fast pans, slides, screens."""
    chance = np.random.default_rng(7)

    def lengths(count: int, low: float, high: float) -> list[int]:
        return [round(RATE * value) for value in chance.uniform(low, high, count)]

    for seed, (low, high) in enumerate(((1.5, 4), (0.4, 1.2), (3, 8))):
        film = Film(f"cuts {low}-{high} s")
        for number, count in enumerate(lengths(10, low, high)):
            film.add(scene(100 * seed + number, pan=float(chance.uniform(-2, 2))), count)
        yield film
    film = Film("cuts of dark shots")
    for number, count in enumerate(lengths(8, 1, 3)):
        film.add(scene(700 + number, light=0.22), count)
    yield film
    film = Film("dissolves")
    for number, count in enumerate(lengths(6, 2, 4)):
        one, other = scene(400 + number), scene(401 + number)
        film.add(later(one, 20), count, cut=False).dissolve(later(one, 20 + count), other, 20)
    yield film.add(later(scene(406), 20), 50, cut=False)
    film = Film("fades")
    for number, count in enumerate(lengths(5, 2, 4)):
        one, other = scene(500 + number), scene(501 + number)
        film.add(later(one, 15), count, cut=False).dissolve(later(one, 15 + count), plain(0), 15, "fade")
        film.add(plain(0), 8, cut=False).dissolve(plain(0), other, 15, "fade")
        film.cuts[-2:] = [(film.cuts[-1][0] - 11, "fade")]
    yield film.add(later(scene(505), 15), 50, cut=False)
    film = Film("flashes")
    for number in range(4):
        film.add(flashing(scene(600 + number), (40, 95, 150, 156, 162), 2 + number), 237)
    yield film
    film = Film("fast pans")
    for number, pan in enumerate((18.0, -30.0, 45.0, 60.0)):
        whip = scene(650 + number, pan=pan)
        still = scene(650 + number)
        film.add(still, 60, cut=number > 0).add(whip, 60, cut=False)
    yield film
    yield Film("one shot").add(scene(680, pan=1.0, shake=2.0, blobs=8), 750)
    for dark in (False, True):
        film = Film(f"slides {'dark' if dark else 'light'}")
        for number, count in enumerate(lengths(8, 3, 6)):
            film.add(slide(800 + number, int(chance.integers(3, 7)), dark), count)
        yield film
    film = Film("screens")
    for number, count in enumerate(lengths(5, 6, 10)):
        film.add(screen(900 + number), count)
    yield film


CODINGS: dict[str, tuple[str, dict[str, str]]] = {
    "x264": ("libx264", {"preset": "veryfast", "crf": "25"}),
    "fixed 2 s": ("libx264", {"preset": "veryfast", "crf": "25", "g": "50", "sc_threshold": "0"}),
    "fixed 10 s": ("libx264", {"preset": "veryfast", "crf": "25", "g": "250", "sc_threshold": "0"}),
    "mpeg4": ("mpeg4", {"b": "800k", "g": "300"}),
    "intra": ("libx264", {"preset": "veryfast", "crf": "25", "g": "1"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "b": "600k"}),
}
"""Encoder and options by name; only x264 alone places key frames at cuts."""


def write(film: Film, path: Path, coding: str = "x264") -> Path:
    """Encodes the film."""
    codec, options = CODINGS[coding]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        stream.codec_context.thread_count = 1
        for number, draw in enumerate(film.frames):
            frame = av.VideoFrame.from_ndarray(draw(), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
