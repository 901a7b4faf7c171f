"""Any process of the chain may be killed in the middle of a job: it still ends well, and once."""

import json
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.pipeline import measure
from tests.pipeline.conftest import ETBGM, serving

pytestmark = pytest.mark.drill


def kill(server: psutil.Process, name: str) -> None:
    """SIGKILL to the server's process of that service."""
    (victim,) = (child for child in server.children(recursive=True) if child.name() == f"etbgm_{name}")
    victim.kill()


VICTIMS = {
    "separating the speech ...": "mixer",
    "transcribing the speech ...": "stt",
    "composing the music ...": "riffusion",
    "mixing ...": "gateway",
}
"""Which process dies when `etbgm run` prints that a stage has begun."""


def test_a_run_names_the_service_that_it_waits_for(tmp_path: Path) -> None:
    video = tmp_path / "tone.mp4"
    picture, tone = ("-f", "lavfi", "-i", "testsrc=s=160x120:d=3"), ("-f", "lavfi", "-i", "sine=d=3")
    subprocess.run(["ffmpeg", "-v", "error", *picture, *tone, video], check=True)
    with serving(tmp_path / "data") as chain:
        server = next(p for p in psutil.Process().children() if str(tmp_path / "data") in p.cmdline())
        command = [ETBGM, "run", video, "-o", tmp_path / "out.mp4", "--gateway", chain.address]
        printed = []
        with subprocess.Popen([*command, "--variants", "1"], stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout
            for line in run.stdout:
                printed.append(line.strip())
                if printed[-1] == "composing the music ...":
                    kill(server, "riffusion")
    assert run.returncode == 0
    after = printed[printed.index("composing the music ...") + 1 :]
    assert after[0] == "waiting for the riffusion service"


def test_killed_processes_do_not_stop_the_job(demo_video: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "data") as chain:
        server = next(p for p in psutil.Process().children() if str(tmp_path / "data") in p.cmdline())
        command = [ETBGM, "run", demo_video, "-o", tmp_path / "out.mp4", "--gateway", chain.address]
        killed = []
        with subprocess.Popen([*command, "--variants", "2"], stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout
            for line in run.stdout:
                if victim := VICTIMS.get(line.strip()):
                    kill(server, victim)
                    killed.append(victim)
    assert (run.returncode, killed) == (0, list(VICTIMS.values()))
    assert measure.loudness_lufs(measure.sound(tmp_path / "out.mp4")) == pytest.approx(-14, abs=0.5)
    stages = json.loads((tmp_path / "out/report.json").read_text())["stages"]
    names = ["INGEST", "SEPARATE", "TRANSCRIBE", "ANALYZE", "GENERATE", "MIX"]
    assert [entry["stage"] for entry in stages] == names
