"""A folder that is not a whole model gives one clear line, runs nothing, and never asks the network."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from demucs.htdemucs import HTDemucs

from etbgm_kit.models.folders import RECORD, BrokenModel
from etbgm_mixer.assembly import build
from etbgm_mixer.separation.demucs_engine import DemucsSeparator
from etbgm_mixer.separation.demucs_weights import find_checkpoint, load
from etbgm_mixer.settings import Settings

from .tiny_demucs import SHAPE, save


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the checkpoint of a model that has learned nothing."""
    folder = tmp_path_factory.mktemp("untrained")
    save(HTDemucs(["rest", "vocals"], **SHAPE).eval(), folder)
    return folder


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def refusal(folder: Path) -> str:
    with pytest.raises(BrokenModel) as caught:
        DemucsSeparator(folder, "cpu").load()
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value.why


def with_checksum(data: bytes, folder: Path) -> Path:
    """The only checkpoint in `folder`, made of `data`."""
    folder.mkdir(exist_ok=True)
    path = folder / f"mine-{hashlib.sha256(data).hexdigest()[:8]}.th"
    path.write_bytes(data)
    return path


class Dangerous:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self._path,)


def test_a_whole_one_is_loaded_and_known_by_its_hash(copy: Path) -> None:
    checkpoint = find_checkpoint(copy)
    assert load(checkpoint, "cpu").sources == ["rest", "vocals"]
    ingredient = checkpoint.ingredient()
    assert (ingredient.name, ingredient.licence, ingredient.commercial_use) == ("copy", "unknown", None)


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_a_file_that_was_cut_off(copy: Path, share: float) -> None:
    (file,) = copy.glob("*.th")
    data = file.read_bytes()
    file.write_bytes(data[: round(share * len(data))])
    assert "cut off or altered" in refusal(copy)


def test_a_file_that_is_something_else(copy: Path, tmp_path: Path) -> None:
    (file,) = copy.glob("*.th")
    file.write_bytes(b"<html>Please log in</html>" * 40)
    assert "cut off or altered" in refusal(copy)
    with_checksum(b"<html>Please log in</html>" * 40, tmp_path / "html")
    refusal(tmp_path / "html")


def test_a_checksum_that_is_not_the_file_s_own(copy: Path) -> None:
    (file,) = copy.glob("*.th")
    file.rename(copy / "tiny-00000000.th")
    assert "cut off or altered" in refusal(copy)
    (copy / "tiny-00000000.th").rename(copy / "tiny.th")
    assert "does not end in its checksum" in refusal(copy)


def test_there_must_be_one_file(copy: Path) -> None:
    (file,) = copy.glob("*.th")
    shutil.copy(file, copy / f"other{file.name}")
    assert refusal(copy).endswith("holds 2")
    for path in copy.glob("*.th"):
        path.unlink()
    assert refusal(copy).endswith("holds 0")


def test_a_pickle_that_nobody_vouches_for_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    torch.save({"klass": Dangerous(trace)}, tmp_path / "package")
    with_checksum((tmp_path / "package").read_bytes(), tmp_path / "dangerous")
    assert refusal(tmp_path / "dangerous")
    assert not trace.exists()


def test_a_model_without_vocals(tmp_path: Path) -> None:
    save(HTDemucs(["drums", "bass"], **SHAPE), tmp_path)
    assert refusal(tmp_path) == "it knows drums, bass, but no vocals"


def test_a_model_of_the_catalogue_must_be_the_published_one(folder: Path, tmp_path: Path) -> None:
    """Whatever its own name says."""
    installed = Path(shutil.copytree(folder, tmp_path / "htdemucs"))
    (installed / RECORD).write_text("{}")
    assert refusal(installed) == "missing or empty: 955717e8-8726e21a.th"
    (file,) = installed.glob("*.th")
    file.rename(installed / "955717e8-8726e21a.th")
    assert "cut off or altered" in refusal(installed)


def test_the_server_does_not_come_up(copy: Path, tmp_path: Path) -> None:
    (file,) = copy.glob("*.th")
    file.write_bytes(file.read_bytes()[:-1])
    settings = Settings(
        store_url=f"file://{tmp_path}/store", separation_engine="demucs", demucs_model=str(copy)
    )
    with pytest.raises(BrokenModel, match="cut off or altered"):
        build(settings).load()
