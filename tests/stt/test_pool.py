"""Decoder processes end when they should and are replaced when they should not have."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from etbgm_kit.errors import NotReady
from etbgm_stt.pool import DecoderPool

pytestmark = pytest.mark.process

SILENCE = bytes(2 * 16000)
"""A second. (Without a detector before it, pocketsphinx hears a word even here.)"""

PARENT = """
import time
from etbgm_stt.pool import DecoderPool
if __name__ == "__main__":
    pool = DecoderPool(2)
    pool.load()
    print("loaded", flush=True)
    time.sleep(60)
"""


def decoders_of(pid: int) -> set[int]:
    """The processes that a process has spawned; multiprocessing's own tracker is none."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            spawned = b"spawn_main" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == pid and spawned:
            found.add(int(folder.name))
    return found


def running(pid: int) -> bool:
    try:
        return (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], timeout_s: float = 15.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_closing_leaves_no_process() -> None:
    before = decoders_of(os.getpid())
    pool = DecoderPool(2)
    pool.load()
    decoders = decoders_of(os.getpid()) - before
    assert len(decoders) == 2
    pool.decode(SILENCE).result()
    pool.close()
    assert not any(map(running, decoders))


def test_a_dead_decoder_is_replaced() -> None:
    before = decoders_of(os.getpid())
    pool = DecoderPool(1)
    pool.load()
    for pid in decoders_of(os.getpid()) - before:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(NotReady), pool.mended():
        while True:
            pool.decode(SILENCE).result(timeout=30)
    pool.decode(SILENCE).result(timeout=30)
    pool.close()


def test_decoders_die_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "loaded\n"
        decoders = decoders_of(parent.pid)
        parent.kill()
    assert len(decoders) == 2
    assert wait_until(lambda: not any(map(running, decoders)))
