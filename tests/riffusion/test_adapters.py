"""Adapters are found in their folder by name, loaded once, and read again when they change."""

import hashlib
from pathlib import Path

import pytest

from etbgm_kit.errors import Conflict, NotFound
from etbgm_kit.models.folders import BrokenModel
from etbgm_riffusion.diffusion.adapters import AdapterFolder
from etbgm_riffusion.types import AdapterInfo


class FakeHolder:
    """Remembers what it holds; refuses what begins with "broken"."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.loads = 0

    def load_adapter(self, name: str, file: Path) -> None:
        assert name not in self.held
        if file.read_bytes().startswith(b"broken"):
            raise BrokenModel(file, "no safetensors")
        self.held[name] = file.read_bytes()
        self.loads += 1

    def unload_adapter(self, name: str) -> None:
        del self.held[name]


@pytest.fixture
def holder() -> FakeHolder:
    return FakeHolder()


@pytest.fixture
def adapters(tmp_path: Path, holder: FakeHolder) -> AdapterFolder:
    folder = tmp_path / "adapters"
    (folder / "tape").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "tape" / "pytorch_lora_weights.safetensors").write_bytes(b"tape")
    (folder / "strings.safetensors").write_bytes(b"strings")
    (folder / "ruin.safetensors").write_bytes(b"broken")
    (folder / "pickle.bin").write_bytes(b"pickle")
    (folder / "with.dots.safetensors").write_bytes(b"dots")
    (tmp_path / "outside.safetensors").write_bytes(b"outside")
    return AdapterFolder(folder, holder)


def info(name: str, content: bytes, loaded: bool) -> AdapterInfo:
    return AdapterInfo(name, hashlib.sha256(content).hexdigest(), loaded)


def test_files_and_folders_are_listed(adapters: AdapterFolder) -> None:
    assert adapters.load("tape") == info("tape", b"tape", True)
    assert adapters.list() == (
        info("ruin", b"broken", False),
        info("strings", b"strings", False),
        info("tape", b"tape", True),
    )


def test_a_missing_folder_holds_none(tmp_path: Path, holder: FakeHolder) -> None:
    assert AdapterFolder(tmp_path / "none", holder).list() == ()


def test_an_adapter_is_loaded_once_until_it_changes(
    adapters: AdapterFolder, holder: FakeHolder, tmp_path: Path
) -> None:
    before = adapters.revision
    adapters.load("strings")
    adapters.load("strings")
    assert (holder.loads, adapters.revision) == (1, before)
    (tmp_path / "adapters" / "strings.safetensors").write_bytes(b"other strings")
    assert adapters.revision != before
    adapters.load("strings")
    assert (holder.loads, holder.held) == (2, {"strings": b"other strings"})
    adapters.unload("strings")
    adapters.unload("strings")
    assert not holder.held


@pytest.mark.parametrize("name", ["none", "", "../outside", "with.dots", "pickle", "empty", "/etc/passwd"])
def test_nothing_outside_the_list_is_touched(adapters: AdapterFolder, holder: FakeHolder, name: str) -> None:
    for call in (adapters.load, adapters.unload):
        with pytest.raises(NotFound):
            call(name)
    assert not holder.held


def test_broken_weights_are_named_without_their_path(adapters: AdapterFolder, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="the adapter ruin cannot be used: no safetensors") as refused:
        adapters.load("ruin")
    assert str(tmp_path) not in str(refused.value)
