"""The marker of a result folder."""

import json
from pathlib import Path

import pytest

from etbgm_cli.marker import MARKER, Marker, read_marker, write_marker

FILES = frozenset({"variant-1.mp4", "variant-1.stems/lead.flac"})


def test_a_marker_is_read_as_it_was_written(tmp_path: Path) -> None:
    marker = Marker(FILES, frozenset({"out.mp4"}))
    write_marker(tmp_path, marker)
    assert read_marker(tmp_path) == marker
    assert marker.entries == {"variant-1.mp4", "variant-1.stems", MARKER}
    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


def test_a_folder_without_a_marker_has_none(tmp_path: Path) -> None:
    assert read_marker(tmp_path) is None
    assert read_marker(tmp_path / "missing") is None


@pytest.mark.parametrize(
    "document",
    [
        [], {}, {"files": [], "videos": None}, {"files": [1], "videos": []},
        {"files": ["../other.mp4"], "videos": []}, {"files": ["a/../../b"], "videos": []},
        {"files": ["/etc/passwd"], "videos": []}, {"files": [""], "videos": []},
        {"files": ["a\0b"], "videos": []}, {"files": [], "videos": ["folder/out.mp4"]},
    ],
)  # fmt: skip
def test_a_marker_that_leads_outside_or_is_damaged_is_not_trusted(tmp_path: Path, document: object) -> None:
    (tmp_path / MARKER).write_text(json.dumps(document))
    assert read_marker(tmp_path) is None


def test_a_marker_that_is_cut_off_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text('{"files": ["a')
    assert read_marker(tmp_path) is None
