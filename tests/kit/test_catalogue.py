"""The catalogue of weights and sounds is whole, and says nothing that it cannot know."""

import re

import pytest

from etbgm_kit import catalogue
from etbgm_kit.catalogue import Download, Entry, Hub
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
        case Download(file=file):
            assert file in found.sha256, "a file on the web has no commit: its hash must be known"
    assert found.ingredient().note == found.permitted


def test_names_are_found_and_unique() -> None:
    names = [found.name for found in catalogue.entries()]
    assert len(names) == len(set(names))
    assert catalogue.find("htdemucs") in catalogue.entries()
    assert catalogue.find("nobody") is None


def test_licences_that_warn() -> None:
    forbidden = {found.name for found in catalogue.entries() if found.commercial_use is False}
    unknown = {found.name for found in catalogue.entries() if found.commercial_use is None}
    assert forbidden == {"htdemucs"}
    assert unknown == {"emotion-english-distilroberta", "TimGM6mb"}


def test_what_is_not_in_the_catalogue_is_unknown() -> None:
    assert catalogue.ingredient("mine", "/models/mine") == Ingredient("mine", "/models/mine", "unknown", None)
    assert catalogue.ingredient("rnnoise").licence == "BSD-3-Clause"


@pytest.mark.parametrize(
    "wrong",
    [
        {"licence": "unknown"},
        {"commercial_use": "perhaps"},
        {"sha256": {"model.bin": "abc"}},
        {"source": {"hub": "owner/name", "revision": "main", "files": ["*"]}},
        {"source": {"url": "http://example.org/plain"}},
        {"permitted": "no full sentence"},
        {"colour": "red"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_entries_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    Entry.model_validate(entry())
    with pytest.raises(ValueError, match=next(iter(wrong)).partition("_")[0]):
        Entry.model_validate(entry(**wrong))
