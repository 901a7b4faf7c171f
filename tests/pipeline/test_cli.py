"""`etbgm run` as a new user meets it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.pipeline import demo_video as story
from tests.pipeline import measure
from tests.pipeline.conftest import ETBGM, Chain

pytestmark = pytest.mark.drill

PARTS = {
    "speech.flac", "residual.flac", "transcript.srt", "transcript.vtt", "transcript.json",
    "timeline.json", "timeline.png", "report.json", "etbgm-result.json",
}  # fmt: skip


def etbgm(*arguments: object, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "TMPDIR": str(cache)}
    command = [ETBGM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)


@pytest.fixture(scope="module")
def demo(demo_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    done = etbgm("run", demo_video, "-o", folder / "out.mp4", cache=folder / "cache")
    assert done.returncode == 0, done.stderr
    return folder


def test_run_writes_the_video_and_all_parts(demo: Path) -> None:
    ends = ("mp4", "music.flac", "mid", "pianoroll.png", "levels.json", "waveform.json")
    variants = {f"variant-{n}.{end}" for n in (1, 2, 3, 4) for end in ends}
    assert {path.name for path in (demo / "out").iterdir()} == PARTS | variants
    assert (demo / "out.mp4").read_bytes() == (demo / "out/variant-1.mp4").read_bytes()


def test_advice_is_in_the_report_and_an_ordinary_run_prints_no_notes(
    demo: Path, demo_video: Path, tmp_path: Path
) -> None:
    done = etbgm("run", demo_video, "-o", tmp_path / "again.mp4", cache=demo / "cache")
    assert [line for line in done.stdout.splitlines() if line.startswith(("note:", "warning:"))] == []
    report = json.loads((demo / "out/report.json").read_text())
    assert report["notes"] == []
    advice = [line for engine in report["engines"] for line in engine.get("advice", [])]
    assert any("etbgm models pull" in line for line in advice)


def test_the_story_is_understood(demo: Path) -> None:
    timeline = json.loads((demo / "out/timeline.json").read_text())["timeline"]
    found = [span["emotion"].removeprefix("EMOTION_").lower() for span in timeline["spans"]]
    assert len({"joy", "fear", "sadness"} & set(found)) == 3
    told = [emotion for emotion in found if emotion in story.STORY]
    assert sorted(told, key=list(story.STORY).index) == told


def test_the_noise_is_gone(demo: Path, demo_video: Path) -> None:
    begin = [(0.3, story.REST_S - 0.5)]
    before = measure.level_db(measure.within(measure.sound(demo_video), begin))
    after = measure.level_db(measure.within(measure.stem(demo / "out/speech.flac"), begin))
    assert before - after >= 25


def test_the_variants_differ(demo: Path) -> None:
    beds = [measure.stem(demo / f"out/variant-{n}.music.flac").mean(axis=1) for n in (1, 2, 3, 4)]
    correlations = np.corrcoef(beds)[np.triu_indices(4, 1)]
    assert np.all(np.abs(correlations) < 0.5)


def test_a_second_run_computes_nothing(demo: Path, demo_video: Path, tmp_path: Path) -> None:
    done = etbgm("run", demo_video, "-o", tmp_path / "again.mp4", cache=demo / "cache")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("reused from cache") == 6
    assert (tmp_path / "again.mp4").read_bytes() == (demo / "out.mp4").read_bytes()


def test_stems_come_beside_their_variant(demo: Path, demo_video: Path, tmp_path: Path) -> None:
    options = ("--stems", "--style", "calm piano, no drums", "--variants", "1")
    done = etbgm("run", demo_video, "-o", tmp_path / "out.mp4", *options, cache=demo / "cache")
    assert done.returncode == 0, done.stderr
    stems = {path.stem: measure.stem(path) for path in (tmp_path / "out/variant-1.stems").iterdir()}
    assert {"lead", "keys", "bass"} <= set(stems)
    assert not np.any(stems.get("drums", 0))
    music = measure.stem(tmp_path / "out/variant-1.music.flac")
    assert {len(stem) for stem in stems.values()} == {len(music)}


def test_nothing_is_left_behind(demo: Path) -> None:
    assert {path.name for path in (demo / "cache").iterdir()} == {"etbgm"}
    assert not list((demo / "cache/etbgm/logs").glob("*"))
    cache = str(demo / "cache")
    left = [p.pid for p in psutil.process_iter(["cmdline"]) if cache in " ".join(p.info["cmdline"] or [])]
    assert left == []


def test_a_second_run_without_a_cache_composes_the_same(demo: Path, demo_video: Path, tmp_path: Path) -> None:
    done = etbgm("run", demo_video, "-o", tmp_path / "out.mp4", "--variants", "1", cache=tmp_path / "c")
    assert done.returncode == 0, done.stderr
    here = (tmp_path / "out/variant-1.music.flac").read_bytes()
    assert here == (demo / "out/variant-1.music.flac").read_bytes()


def test_a_killed_run_takes_its_services_with_it(demo_video: Path, tmp_path: Path) -> None:
    command = [ETBGM, "run", demo_video, "-o", tmp_path / "out.mp4", "--data", tmp_path / "data"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout and "..." in run.stdout.readline()
        services = psutil.Process(run.pid).children(recursive=True)
        assert len(services) >= 5
        run.send_signal(signal.SIGKILL)
    assert psutil.wait_procs(services, timeout=20)[1] == []


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]

COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); from etbgm_cli import main; main()"
)
"""A shell's background process, as tests may be, ignores SIGINT, and one that nohup began SIGHUP."""


@contextmanager
def running(*arguments: object, temporary: Path) -> Iterator["subprocess.Popen[str]"]:
    """`etbgm run` once its job runs; killed at the end unless it has ended."""
    run = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "run", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    with run:
        try:
            assert run.stdout
            assert "..." in run.stdout.readline()
            yield run
        finally:
            run.kill()


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_ends_all_that_a_run_started(
    demo_video: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    arguments = (demo_video, "-o", tmp_path / "out.mp4", "--data", tmp_path / "data")
    with running(*arguments, temporary=temporary) as run:
        services = psutil.Process(run.pid).children(recursive=True)
        assert len(services) >= 5
        assert list(temporary.iterdir())
        run.send_signal(number)
        _, said = run.communicate(timeout=60)
    assert (run.returncode, said) == (status, "cancelled\n")
    assert psutil.wait_procs(services, timeout=20)[1] == []
    assert {path.name for path in temporary.iterdir()} <= {"etbgm-uploads"}


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_cancels_the_job(
    chain: Chain, demo_video: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    seed = str(1000 + number)
    arguments = (demo_video, "-o", tmp_path / "out.mp4", "--gateway", chain.address, "--seed", seed)
    with running(*arguments, temporary=tmp_path) as run:
        run.send_signal(number)
        _, said = run.communicate(timeout=60)
    assert (run.returncode, said) == (status, "cancelled\n")
    command = [ETBGM, "jobs", "list", "--limit", "1", "--gateway", chain.address]
    assert "cancelled" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("missing.mp4", [], "no such file"),
        ("text.mp4", [], "error: video: "),
        ("demo", ["--variants", "9"], "settings.variants"),
        ("demo", ["--style", "polka"], "settings.style"),
        ("demo", ["--loudness", "3"], "settings.mix.target_loudness_lufs"),
        ("demo", ["--captions", "text.mp4"], ".srt or .vtt"),
        ("demo", ["--timeline", "text.mp4"], "not an emotion timeline"),
    ],
)
def test_bad_options_are_one_clear_line(
    chain: Chain, demo_video: Path, tmp_path: Path, name: str, options: list[str], says: str
) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    video = demo_video if name == "demo" else tmp_path / name
    options = [str(tmp_path / o) if o == "text.mp4" else o for o in options]
    done = chain.run(video, tmp_path / "out.mp4", *options)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_container_must_hold_the_picture(chain: Chain, demo_video: Path, tmp_path: Path) -> None:
    done = chain.run(demo_video, tmp_path / "out.webm")
    assert done.returncode == 2
    assert "mp4" in done.stderr or "mkv" in done.stderr
    assert "must end in one of" in chain.run(demo_video, tmp_path / "out.gif").stderr


def test_jobs_of_a_server(chain: Chain, demo_video: Path, tmp_path: Path) -> None:
    def jobs(*arguments: str) -> str:
        command = [ETBGM, "jobs", *arguments, "--gateway", chain.address]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    job = chain.run(
        demo_video, tmp_path / "out.mp4", "--variants", "1", "--seed", "7", "--detach"
    ).stdout.strip()
    jobs("watch", job)
    assert json.loads(jobs("show", job))["state"] == "STATE_SUCCEEDED"
    assert job in jobs("list")
    jobs("fetch", job, "-o", str(tmp_path / "got"))
    assert (tmp_path / "got/variant-1.mp4").stat().st_size > 0
    other = chain.run(demo_video, tmp_path / "out.mp4", "--seed", "8", "--detach").stdout.strip()
    assert jobs("cancel", other).strip() == "cancelled"
    time.sleep(0.5)
    assert json.loads(jobs("show", other))["state"] == "STATE_CANCELLED"


def test_captions_and_a_timeline_replace_what_is_found(
    chain: Chain, demo_video: Path, tmp_path: Path
) -> None:
    captions = tmp_path / "words.srt"
    captions.write_text("1\n00:00:03,000 --> 00:00:06,000\nEverything is wonderful and I love it!\n")
    done = chain.run(demo_video, tmp_path / "a.mp4", "--variants", "1", "--captions", str(captions))
    assert done.returncode == 0, done.stderr
    assert "Everything is wonderful" in (tmp_path / "a/transcript.srt").read_text()
    found = json.loads((tmp_path / "a/timeline.json").read_text())["timeline"]
    assert found["spans"][0]["emotion"] == "EMOTION_JOY"
    for span in found["spans"]:
        span["emotion"] = "EMOTION_FEAR"
    (tmp_path / "edited.json").write_text(json.dumps(found))
    edited = chain.run(
        demo_video, tmp_path / "b.mp4", "--variants", "1", "--timeline", str(tmp_path / "edited.json")
    )
    assert edited.returncode == 0, edited.stderr
    used = json.loads((tmp_path / "b/timeline.json").read_text())["timeline"]
    assert {span["emotion"] for span in used["spans"]} == {"EMOTION_FEAR"}
