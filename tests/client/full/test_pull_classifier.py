"""A classifier from the hub to its engine: fetched, exported by the service's own command, loaded."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from etbgm_cli.weights import install
from etbgm_cli.weights.conversion import Conversion
from etbgm_cli.weights.errors import WeightsError
from etbgm_cli.weights.sources import Watch
from etbgm_kit.models.catalogue import Entry
from etbgm_kit.models.folders import installed
from etbgm_kit.types import Emotion
from tests.client.cli.hub import REVISION, FakeHub, serve

CATALOGUE = f"""
[[entry]]
name = "tiny"
service = "sentiment"
engine = "transformers"
kind = "weights"
source = {{ hub = "someone/tiny", revision = "{REVISION}", files = ["*.json", "model.safetensors"] }}
convert = "onnx"
licence = "CC-BY-NC-4.0"
commercial_use = false
permitted = "No sale."
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    """A hub that has a small classifier, trained here."""
    from tests.sentiment.full import tiny

    folder = tiny.trained(tmp_path_factory.mktemp("trained"))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with serve(FakeHub("someone/tiny", files, large=("model.safetensors",))) as served:
        yield served


def pull(folder: Path, hub: FakeHub) -> "subprocess.CompletedProcess[str]":
    (folder / "own.toml").write_text(CATALOGUE)
    settings = {
        "HF_ENDPOINT": hub.endpoint,
        "ETBGM_CATALOGUE": str(folder / "own.toml"),
        "ETBGM_MODELS_DIR": str(folder / "models"),
    }
    command = [sys.executable, "-c", "from etbgm_cli import main; main()", "models", "pull", "tiny"]
    return subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_classifier_is_fetched_exported_and_read_by_its_engine(hub: FakeHub, tmp_path: Path) -> None:
    from etbgm_sentiment.onnx_classifier import OnnxClassifier

    done = pull(tmp_path, hub)
    assert (done.returncode, done.stderr) == (0, "")
    folder = installed(tmp_path / "models", "tiny")
    assert folder
    assert not folder.with_name("tiny.part").exists(), "what was fetched is not kept"
    classifier = OnnxClassifier(folder)
    best = classifier.classify(["I am so happy", "how scared we all were"]).argmax(1)
    assert [list(Emotion)[number] for number in best] == [Emotion.JOY, Emotion.FEAR]
    (ingredient,) = classifier.info.ingredients
    assert (ingredient.name, ingredient.licence) == ("tiny", "CC-BY-NC-4.0")


class Nobody(Watch):
    """Follows an installation without interest."""


def test_what_cannot_be_exported_gets_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one of the command, whatever it is; the service's own is tested in `test_export`."""
    failing = Conversion(lambda source, _: ["json.tool", str(source / "config.json")], ("json",), "")
    monkeypatch.setattr(install, "conversion_of", lambda _: failing)
    (entry,) = (Entry.model_validate(facts) for facts in tomllib.loads(CATALOGUE)["entry"])
    given = tmp_path / "given"
    given.mkdir()
    for name in ("config.json", "model.safetensors"):
        (given / name).write_text("{")
    with pytest.raises(WeightsError) as failed:
        install.install(entry, tmp_path / "models", Nobody(), given)
    line = str(failed.value)
    assert line.startswith(f"cannot convert {tmp_path}/models/tiny.part: Expecting property name")
    assert "\n" not in line
    assert installed(tmp_path / "models", "tiny") is None
