"""Damaged videos end in a result or a refusal, and leave nothing behind."""

import os
import random
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import psutil
import pytest

from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import InvalidField
from etbgm_mixer.media.probe import Limits
from etbgm_mixer.separation.deepfilter_engine import DeepFilterSeparator
from etbgm_mixer.service import MixerService
from tests.mixer.conftest import MakeClip

pytestmark = pytest.mark.process

Damage = Callable[[random.Random, bytearray], None]
PROBE_S, MEDIA_S, SLACK_S = 5.0, 10.0, 10.0
CODINGS = {
    "mp4": ("-c:v", "libx264", "-c:a", "aac"),
    "mov": ("-c:v", "libx264", "-c:a", "pcm_s16le"),
    "mkv": ("-c:v", "libx264", "-c:a", "flac"),
    "webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
    "ts": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "avi": ("-c:v", "mpeg4", "-c:a", "mp3"),
}
BOXES = tuple(b"moov mvhd tkhd mdhd stsz stco stts ctts elst mdat RIFF LIST".split())
"""Their 32-bit sizes stand before the name (ISO media) or behind it (AVI)."""


def flip(chance: random.Random, data: bytearray) -> None:
    for _ in range(max(8, len(data) // 500)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def flip_header(chance: random.Random, data: bytearray) -> None:
    for _ in range(8):
        data[chance.randrange(min(1000, len(data)))] = chance.randrange(256)


def truncate(chance: random.Random, data: bytearray) -> None:
    del data[chance.randrange(len(data)) :]


def zero(chance: random.Random, data: bytearray) -> None:
    start = chance.randrange(len(data))
    end = min(len(data), start + len(data) // 5)
    data[start:end] = bytes(end - start)


def duplicate(chance: random.Random, data: bytearray) -> None:
    start, to = chance.randrange(len(data)), chance.randrange(len(data))
    data[to:to] = data[start : start + len(data) // 5]


def enlarge(chance: random.Random, data: bytearray) -> None:
    """Sets a size, or where there is none of a known name any four bytes, to 0xFFFFFFFF."""
    places = [at + shift for name in BOXES if (at := data.find(name)) >= 4 for shift in (-4, 4)]
    at = chance.choice(places or [chance.randrange(len(data))])
    data[at : at + 4] = b"\xff" * 4


DAMAGES: tuple[Damage, ...] = (flip, flip_header, truncate, zero, duplicate, enlarge)


@pytest.fixture
def service(store: ArtifactStore, scratch: Scratch, limits: Limits) -> Iterator[MixerService]:
    """Leaves no process and no folder."""
    settled = Limits(
        limits.max_size_bytes, limits.max_duration_s, limits.max_pixels, limits.max_streams, PROBE_S
    )
    yield MixerService(store, scratch, settled, MEDIA_S, lambda: (DeepFilterSeparator(), ()))
    names = [child.name() for child in psutil.Process().children(recursive=True)]
    assert not {"ffmpeg", "ffprobe"} & set(names)


def end_well(service: MixerService, store: ArtifactStore, path: Path) -> None:
    """Probes and extracts; anything but a result or a refusal raises."""
    started = time.monotonic()
    video = store.put(path, "application/octet-stream")
    for work in (lambda: service.probe(video, None), lambda: service.extract(video, lambda _: None)):
        try:
            work()
        except InvalidField as refusal:
            assert refusal.field in ("video", "container")
    assert time.monotonic() - started < 4 * PROBE_S + MEDIA_S + SLACK_S


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("suffix", CODINGS)
def test_a_damaged_clip(
    service: MixerService,
    store: ArtifactStore,
    make_clip: MakeClip,
    tmp_path: Path,
    suffix: str,
    damage: Damage,
) -> None:
    clip = make_clip(f"whole.{suffix}", *CODINGS[suffix], "-t", "0.5", picture="testsrc=s=64x48:r=10:d=0.5")
    chance = random.Random(f"{suffix} {damage.__name__}")
    data = bytearray(clip.read_bytes())
    damage(chance, data)
    path = tmp_path / "damaged"
    path.write_bytes(data)
    end_well(service, store, path)
    assert not (tmp_path / "scratch").exists() or not list((tmp_path / "scratch").iterdir())


def test_damaged_files_from_the_field(
    service: MixerService, store: ArtifactStore, test_data: Path, tmp_path: Path
) -> None:
    """The smallest files there are, since time is short."""
    files = sorted((test_data / "video/real").iterdir(), key=os.path.getsize)[:4]
    assert files
    for file, damage in product(files, DAMAGES[1::2]):
        data = bytearray(file.read_bytes())
        damage(random.Random(f"{file.name} {damage.__name__}"), data)
        path = tmp_path / "damaged"
        path.write_bytes(data)
        end_well(service, store, path)
