"""The address of the web page, and how the browser gets it."""

import stat
import webbrowser
from pathlib import Path

import pytest

from etbgm.media.v1 import media_pb2
from etbgm_cli import page


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text("etbgm_id_secret\n")
    return tmp_path


@pytest.mark.parametrize(
    ("listens_on", "opened"),
    [("127.0.0.1:8440", "127.0.0.1:8440"), ("0.0.0.0:80", "localhost:80"), ("[::]:8440", "localhost:8440")],
)
def test_the_address_has_the_key_in_its_fragment(data: Path, listens_on: str, opened: str) -> None:
    link = page.write_link(data, listens_on)
    assert link == f"http://{opened}/#key=etbgm_id_secret"
    assert page.public_part(link) == f"http://{opened}/"
    assert page.link_of(data) == link
    page.remove_link(data)
    assert page.link_of(data) == ""


def test_the_browser_is_not_told_the_key_on_its_command_line(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    video = media_pb2.Artifact(uri="artifact://sha256/ab.mp4", size_bytes=7)
    link, place = page.write_link(data, "h:1"), page.place_of('my "day"/1.mp4', video)
    page.open_in_browser(data, f"{link}&{place}")
    opener = data / "page.html"
    assert opened == [opener.as_uri()]
    assert stat.S_IMODE(opener.stat().st_mode) == 0o600
    assert (
        "url=http://h:1/#key=etbgm_id_secret&amp;videos/ab.mp4/7/my%20%22day%22%2F1.mp4" in opener.read_text()
    )


def test_without_a_browser_the_address_is_printed(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    page.open_in_browser(data, "http://h:1/#key=k")
    assert "http://h:1/#key=k" in capsys.readouterr().out
