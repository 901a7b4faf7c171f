"""The card in an adapter's file: which licence results state."""

import json
import struct
from pathlib import Path

import pytest

from etbgm_riffusion.diffusion.card import CARD_KEY, Card, CardSource, ingredient_of, read_card


def source(name: str, licence: str, commercial: bool | None, credit: str = "") -> CardSource:
    return CardSource(
        source=name, sha256="", licence=licence, owner="Me", commercial_use=commercial, credit=credit
    )


def card(*sources: CardSource) -> Card:
    return Card(name="tape", made_by="train-lora", base="riffusion", sources=sources)


def written(path: Path, metadata: object) -> Path:
    header = json.dumps({"__metadata__": metadata}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def test_a_result_states_the_licences_of_the_music(tmp_path: Path) -> None:
    made = card(source("a", "own", True), source("b", "CC-BY-4.0", True, "Ann"), source("c", "own", True))
    file = written(tmp_path / "tape.safetensors", {CARD_KEY: made.model_dump_json()})
    told = ingredient_of("tape", read_card(file))
    assert (told.name, told.licence, told.commercial_use) == ("tape", "CC-BY-4.0 AND own", True)
    assert told.note == "Trained on 3 sources of Me. Name: Ann."


@pytest.mark.parametrize(
    ("uses", "expected"),
    [((True, True), True), ((True, None), None), ((True, False, None), False), ((), None)],
)
def test_commercial_use_is_what_every_source_permits(
    uses: tuple[bool | None, ...], expected: bool | None
) -> None:
    assert card(*(source(str(place), "x", use) for place, use in enumerate(uses))).commercial_use is expected


def test_adapters_from_elsewhere_have_no_card(tmp_path: Path) -> None:
    for metadata in ({}, {CARD_KEY: "{}"}, {CARD_KEY: "["}, None):
        assert read_card(written(tmp_path / "a.safetensors", metadata)) is None
    for data in (
        b"",
        b"short",
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 4) + b"\xff\xff\xff\xff",
    ):
        (tmp_path / "b.safetensors").write_bytes(data)
        assert read_card(tmp_path / "b.safetensors") is None
    assert read_card(tmp_path / "none.safetensors") is None
    told = ingredient_of("other", None)
    assert (told.licence, told.commercial_use) == ("unknown", None)
