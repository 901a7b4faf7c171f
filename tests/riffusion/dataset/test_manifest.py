"""The manifest of rights: what it permits, what it refuses, and how it says so."""

from pathlib import Path

import pytest

from etbgm_kit.types import Emotion
from etbgm_riffusion.dataset.manifest import (
    BadManifest,
    Entry,
    RightsMissing,
    entries_of,
    read_licences,
    read_manifest,
    spelled,
    unused,
)


def entries(tmp_path: Path, text: str, *sources: str) -> dict[str, Entry]:
    path = tmp_path / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return entries_of(read_manifest(path), sources)


def test_later_lines_make_exceptions_and_empty_cells_keep_what_was_said(tmp_path: Path) -> None:
    lines = ("source,licence,owner,emotion,commercial_use", "*,own,Studio,,", "sad/*,,,sadness,")
    text = "\n".join((*lines, "sad/b.wav,,Guest,,no"))
    found = entries(tmp_path, text, "a.wav", "sad/a.wav", "sad/b.wav")
    assert [found[name].emotion for name in found] == [None, Emotion.SADNESS, Emotion.SADNESS]
    assert [found[name].rights.owner for name in found] == ["Studio", "Studio", "Guest"]
    assert [found[name].rights.commercial_use for name in found] == [True, True, False]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("other.wav,own,Me,", "no licence and no owner"),
        ("a.wav,own,,", "no owner"),
        ("a.wav,,Me,", "no licence"),
        ("a.wav,CC BY-ND 4.0,Me,", "NoDerivatives"),
        ("a.wav,CC-BY-NC-ND-4.0,Me,", "NoDerivatives"),
        ("a.wav,all rights reserved,Label,", "all rights are reserved"),
        ("a.wav,Epidemic Sound,Label,", "not known"),
        ("a.wav,own,Me,no", "not permitted"),
    ],
)
def test_what_may_not_be_used_is_refused_with_its_reason(tmp_path: Path, cells: str, why: str) -> None:
    with pytest.raises(RightsMissing, match=why) as refused:
        entries(tmp_path, f"source,licence,owner,training\n{cells}\n", "a.wav")
    assert [source for source, _ in refused.value.refused] == ["a.wav"]


def test_every_refused_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(RightsMissing, match="3 sources") as refused:
        entries(tmp_path, "source,licence,owner\nb.wav,own,Me\n", "a.wav", "b.wav", "c.wav", "d/e.wav")
    assert [source for source, _ in refused.value.refused] == ["a.wav", "c.wav", "d/e.wav"]


def test_an_owner_may_permit_what_a_licence_does_not(tmp_path: Path) -> None:
    text = "source,licence,owner,training\n*,Our contract of 2024,Label,yes\n"
    rights = entries(tmp_path, text, "a.wav")["a.wav"].rights
    assert (rights.licence, rights.commercial_use) == ("Our-contract-of-2024", None)


@pytest.mark.parametrize(
    ("licence", "commercial"),
    [
        ("CC BY 3.0", True),
        ("cc0-1.0", True),
        ("CC_BY_NC_SA_4.0", False),
        ("public domain", True),
        ("own", True),
    ],
)
def test_licences_are_recognised_however_they_are_written(
    tmp_path: Path, licence: str, commercial: bool
) -> None:
    found = entries(tmp_path, f"source,licence,owner\n*,{licence},Me\n", "a.wav")["a.wav"].rights
    assert found.commercial_use is commercial
    assert found.licence == spelled(licence)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("source,licence,owner\n*,own,Me\na.wav,own,Me,extra\n", 3, "more cells"),
        ("source,licence,owner,emotion\n*,own,Me,rage\n", 2, "emotion"),
        ("source,licence,owner,training\n*,own,Me,maybe\n", 2, "training"),
        ("source,licence,owner,mood\n*,own,Me,happy\n", 1, "mood"),
        ("licence,owner\nown,Me\n", 1, "source"),
        ("", 1, "source"),
        ("source,licence,owner\n\n,own,Me\n", 3, "source"),
        ('source,licence,owner\n"*,own,Me\na.wav,own,Me\n', 2, "unexpected end"),
    ],
)
def test_a_broken_manifest_names_line_and_column(tmp_path: Path, text: str, line: int, why: str) -> None:
    with pytest.raises(BadManifest, match=f"line {line}: .*{why}"):
        entries(tmp_path, text, "a.wav")


def test_tables_of_other_programs_are_read(tmp_path: Path) -> None:
    for text in (
        "Source;License;Owner\r\n*;own;Me, myself\r\n",
        "\ufeffsource\tlicence\towner\n*\town\tMe\n",
    ):
        assert entries(tmp_path, text, "a.wav")["a.wav"].rights.licence == "own"
    path = tmp_path / "manifest.csv"
    path.write_bytes("source,licence,owner\n*,own,Müller\n".encode("latin-1"))
    with pytest.raises(BadManifest, match=r"line 2: .*UTF-8"):
        read_manifest(path)


def test_names_may_have_brackets_and_accents(tmp_path: Path) -> None:
    text = "source,licence,owner\nlive [2].wav,own,Me\ncafe\u0301.wav,own,Me\n"
    assert len(entries(tmp_path, text, "live [2].wav", "caf\u00e9.wav")) == 2


def test_lines_that_apply_to_nothing_are_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text("source,licence,owner,emotion\n*,own,Me,\nsda/*,,,sadness\n")
    assert unused(read_manifest(path), ["sad/a.wav"], path) == [f"{path}: no audio file is named sda/*"]


def test_a_manifest_is_required(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match="licence and an owner"):
        read_manifest(tmp_path / "manifest.csv")


def test_the_table_of_licences_has_no_pattern_that_is_never_reached() -> None:
    """A pattern before another one must not match all of it."""
    patterns = [licence.pattern for licence in read_licences()]
    assert patterns.index("CC-BY-NC-ND-*") < patterns.index("CC-BY-NC-*") < patterns.index("CC-BY-*")
    assert all(licence.why for licence in read_licences() if not licence.training)
