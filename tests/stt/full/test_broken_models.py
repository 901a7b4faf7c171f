"""A folder that is not a whole model gives one clear line, and never asks the network."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from etbgm_kit.models.folders import BrokenModel
from etbgm_stt.assembly import build
from etbgm_stt.settings import Settings
from etbgm_stt.whisper_model import NEEDED, WhisperParams, hash_of, load_whisper


@pytest.fixture
def copy(converted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(converted, tmp_path / "copy"))


@pytest.mark.parametrize("name", [*NEEDED, "vocabulary.json"])
@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["missing", "empty"])
def test_files_that_are_not_there(copy: Path, name: str, spoil: Callable[[Path], object]) -> None:
    spoil(copy / name)
    assert name in refusal(copy)


@pytest.mark.parametrize(
    ("name", "share"),
    [("model.bin", 0.0001), ("model.bin", 0.5), ("model.bin", 0.999), ("tokenizer.json", 0.5)],
)
def test_files_that_were_cut_off(copy: Path, name: str, share: float) -> None:
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[: max(1, round(share * len(data)))])
    refusal(copy)


@pytest.mark.parametrize("name", NEEDED)
def test_files_that_are_something_else(copy: Path, name: str) -> None:
    (copy / name).write_bytes(b"<html>Please log in</html>" * 40)
    refusal(copy)


def test_input_that_does_not_fit(copy: Path) -> None:
    whole = hash_of(copy)
    (copy / "preprocessor_config.json").write_text(json.dumps({"feature_size": 128}))
    assert hash_of(copy) != whole, "results of other input are not found again"
    assert "hears 80 mels" in refusal(copy)
    # The converted models of the catalogue, but for the large ones, come without it.
    (copy / "preprocessor_config.json").unlink()
    load_whisper(WhisperParams("copy", copy))


def test_a_tokenizer_of_another_model(copy: Path) -> None:
    tokenizer = json.loads((copy / "tokenizer.json").read_text())
    tokenizer["added_tokens"] = []
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert "it is not Whisper's" in refusal(copy)


def test_the_server_does_not_come_up(copy: Path, tmp_path: Path) -> None:
    (copy / "tokenizer.json").unlink()
    settings = Settings(store_url=f"file://{tmp_path}/store", whisper_model=str(copy))
    with pytest.raises(BrokenModel, match=r"missing or empty: tokenizer\.json"):
        build(settings).load()


def refusal(folder: Path) -> str:
    with pytest.raises(BrokenModel) as caught:
        load_whisper(WhisperParams("copy", folder))
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value.why
