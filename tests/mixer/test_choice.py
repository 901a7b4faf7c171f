"""Which separator settings and machine lead to."""

from pathlib import Path

import pytest

from etbgm_kit.models.folders import RECORD
from etbgm_mixer.choice import (
    Available,
    Choice,
    NoDemucs,
    Wanted,
    WantedDevice,
    choose,
    find_available,
)

FOLDER = Path("/models/mine")


def available(
    packages: bool = True, folder: Path | None = FOLDER, cuda: bool = True, commercial: bool | None = True
) -> Available:
    return Available(packages, folder, cuda, commercial)


@pytest.mark.parametrize(
    ("wanted", "device", "there", "folder", "where"),
    [
        ("auto", "auto", available(), FOLDER, "cuda"),
        ("auto", "cuda", available(), FOLDER, "cuda"),
        ("auto", "cpu", available(), None, "cpu"),
        ("auto", "auto", available(cuda=False), None, "cpu"),
        ("auto", "auto", available(packages=False), None, "cpu"),
        ("auto", "auto", available(folder=None), None, "cpu"),
        ("auto", "auto", available(commercial=False), None, "cpu"),
        ("auto", "auto", available(commercial=None), None, "cpu"),
        ("deepfilternet", "cuda", available(), None, "cpu"),
        ("demucs", "auto", available(commercial=False), FOLDER, "cuda"),
        ("demucs", "cuda", available(commercial=None), FOLDER, "cuda"),
        ("demucs", "cpu", available(commercial=False), FOLDER, "cpu"),
        ("demucs", "auto", available(cuda=False, commercial=None), FOLDER, "cpu"),
    ],
)
def test_choice(
    wanted: Wanted, device: WantedDevice, there: Available, folder: Path | None, where: str
) -> None:
    choice = choose(wanted, device, "htdemucs", there)
    assert (choice.folder, choice.device) == (folder, where)
    assert choice.reason
    assert bool(choice.advice) == (wanted != "deepfilternet" and where == "cpu")


@pytest.mark.parametrize(
    ("device", "model", "there", "why"),
    [
        (
            "auto",
            "htdemucs",
            available(packages=False),
            r"needs packages \(`pip install 'etbgm-mixer\[demucs\]'`\)$",
        ),
        ("auto", "htdemucs", available(folder=None), r"needs weights \(`etbgm models pull htdemucs`\)$"),
        ("auto", "/my/model", available(folder=None), "needs the model /my/model, which was not found$"),
        ("cuda", "htdemucs", available(cuda=False), "needs a CUDA device with a matching torch build$"),
        ("cuda", "htdemucs", available(False, None, False), r"\[demucs\]'`\), weights .* and a CUDA device"),
    ],
)
def test_what_cannot_be_had_is_said(device: WantedDevice, model: str, there: Available, why: str) -> None:
    with pytest.raises(NoDemucs, match=why):
        choose("demucs", device, model, there)


@pytest.mark.parametrize(
    ("there", "says"),
    [
        (available(folder=None, commercial=True), "It needs weights (`etbgm models pull htdemucs`)."),
        (
            available(commercial=False),
            "The licence of its weights forbids commercial use, so it runs only with ",
        ),
        (available(commercial=None), "The licence of its weights is unknown, so it runs only with "),
        (
            available(cuda=False, commercial=False),
            "It needs a CUDA device with a matching torch build. The licence",
        ),
    ],
)
def test_advice_says_what_is_better_and_why_it_was_not_taken(there: Available, says: str) -> None:
    (advice,) = choose("auto", "auto", "htdemucs", there).advice
    assert "demucs can separate them better" in advice
    assert says in advice


def test_nothing_is_to_be_told_of_what_was_asked_for() -> None:
    assert choose("deepfilternet", "auto", "htdemucs", available(folder=None)) == Choice()


def test_what_is_found_is_what_the_catalogue_tells_of(tmp_path: Path) -> None:
    missing = find_available(tmp_path, "htdemucs")
    assert (missing.folder, missing.commercial_use) == (None, False)
    folder = tmp_path / "htdemucs"
    folder.mkdir()
    assert find_available(tmp_path, "htdemucs").folder is None
    own = find_available(tmp_path, str(folder))
    assert (own.folder, own.commercial_use) == (folder, None)
    (folder / RECORD).write_text("{}")
    pulled = find_available(tmp_path, "htdemucs")
    assert (pulled.folder, pulled.commercial_use) == (folder, False)
