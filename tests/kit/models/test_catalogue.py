"""The catalogue of weights and sounds is whole, and says nothing that it cannot know."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from etbgm_kit.models import catalogue
from etbgm_kit.models.catalogue import BadCatalogue, Download, Entry, Hub, Wheels
from etbgm_kit.types import Ingredient


def entry(**changes: object) -> dict[str, object]:
    """The fields of an entry that is right but for `changes`."""
    fields: dict[str, object] = {
        "name": "m", "service": "stt", "engine": "e", "kind": "weights", "source": {"package": "package p"},
        "licence": "MIT", "commercial_use": True, "permitted": "Anything.",
    }  # fmt: skip
    return fields | changes


@pytest.mark.parametrize("found", catalogue.entries(), ids=lambda found: found.name)
def test_what_is_fetched_is_what_was_looked_up(found: Entry) -> None:
    match found.source:
        case Hub(files=patterns):
            pickles = [name for name in patterns if re.search(r"pytorch_model\.bin|\.(pt|ckpt|pkl)$", name)]
            assert not pickles, "pickles may run code"
        case Download(url=url, file=file):
            assert url.startswith("https://")
            assert file in found.sha256, "a file on the web has no commit: its hash must be known"
            assert found.size_bytes
    assert found.ingredient().note == found.permitted


def test_results_name_the_source_and_not_its_mirrors() -> None:
    found = catalogue.find("whisper-base")
    assert found
    (mirror,) = found.mirrors
    assert isinstance(mirror, Wheels)
    assert found.ingredient().source == "Systran/faster-whisper-base@ebe41f70d5b6 on the Hugging Face hub"
    assert mirror.members.keys() == found.sha256.keys(), "every file is verified, whoever served it"


WHEELS = {"packages": ["p==1"], "size_bytes": 9, "members": {"model.bin": ["p/model.bin"]}}
VERIFIABLE = {"sha256": {"model.bin": "0" * 64}, "size_bytes": 9}


@pytest.mark.parametrize(
    ("changes", "mirror"),
    [
        ({"sha256": {}}, {}),
        ({"size_bytes": None}, {}),
        ({}, {"members": {"../model.bin": ["p/model.bin"]}}),
        ({}, {"members": {"model.bin": ["/etc/passwd"]}}),
        ({}, {"members": {"model.bin": []}}),
        ({}, {"packages": ["p"]}),
        ({}, {"packages": ["--index-url==1"]}),
    ],
    ids=["no hash", "no size", "upwards", "absolute", "no part", "no version", "an option of pip"],
)
def test_files_in_wheels_are_verifiable_and_stay_in_their_folder(
    changes: dict[str, object], mirror: dict[str, object]
) -> None:
    Entry.model_validate(entry(**VERIFIABLE, mirrors=[WHEELS]))
    with pytest.raises(ValueError, match=r"mirrors|sha256"):
        Entry.model_validate(entry(**{**VERIFIABLE, **changes}, mirrors=[{**WHEELS, **mirror}]))


def test_names_are_found_and_unique() -> None:
    names = [found.name for found in catalogue.entries()]
    assert len(names) == len(set(names))
    assert catalogue.find("htdemucs") in catalogue.entries()
    assert catalogue.find("nobody") is None
    by_id, by_name = map(catalogue.find, ("riffusion/riffusion-model-v1", "riffusion-model-v1"))
    assert by_id is by_name is not None
    assert catalogue.find("somebody/riffusion-model-v1") is None, "weights of others have other licences"


def test_licences_that_warn() -> None:
    forbidden = {found.name for found in catalogue.entries() if found.commercial_use is False}
    unknown = {found.name for found in catalogue.entries() if found.commercial_use is None}
    assert forbidden == {"htdemucs"}
    assert unknown == {"emotion-english-distilroberta", "TimGM6mb"}


def test_what_is_not_in_the_catalogue_is_unknown() -> None:
    assert catalogue.ingredient("mine", "/models/mine") == Ingredient("mine", "/models/mine", "unknown", None)
    assert catalogue.ingredient("deepfilternet3").licence == "MIT OR Apache-2.0"


@pytest.mark.parametrize(
    "wrong",
    [
        {"licence": "unknown"},
        {"commercial_use": "perhaps"},
        {"sha256": {"model.bin": "abc"}},
        {"source": {"hub": "owner/name", "revision": "main", "files": ["*"]}},
        {"source": {"url": "ftp://example.org/plain"}},
        {"permitted": "no full sentence"},
        {"colour": "red"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_entries_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    Entry.model_validate(entry())
    with pytest.raises(ValueError, match=next(iter(wrong)).partition("_")[0]):
        Entry.model_validate(entry(**wrong))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of entries of one's own, which is read in place of what was read before."""
    monkeypatch.setenv("ETBGM_CATALOGUE", str(tmp_path / "own.toml"))
    catalogue.entries.cache_clear()
    yield tmp_path / "own.toml"
    catalogue.entries.cache_clear()


OWN = """
[[entry]]
name = "OurSounds"
service = "riffusion"
engine = "composer"
kind = "sounds"
source = { package = "our studio" }
licence = "CC0-1.0"
commercial_use = true
permitted = "Anything."
"""


def test_users_may_add_entries_of_their_own(own: Path) -> None:
    own.write_text(OWN)
    assert catalogue.ingredient("OurSounds").licence == "CC0-1.0"
    assert catalogue.find("htdemucs")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "No such file"),
        ("[[entry", "Expected"),
        (OWN.replace("CC0-1.0", ""), r"entry\.0\.licence"),
        (OWN + OWN, "twice: OurSounds"),
        (OWN.replace("OurSounds", "htdemucs"), "twice: htdemucs"),
    ],
    ids=["no file", "no TOML", "no licence", "twice", "ours"],
)
def test_a_broken_file_of_ones_own_is_named(own: Path, text: str | None, why: str) -> None:
    if text is not None:
        own.write_text(text)
    with pytest.raises(BadCatalogue, match=rf"own\.toml cannot be read: .*{why}"):
        catalogue.entries()
