"""Uploads that are cut off continue; files that are no videos are refused with advice."""

import hashlib
import struct
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.browser.conftest import Site, photograph

pytestmark = pytest.mark.process

PART_BYTES = 8 << 20
"""As in uploads.js."""


@pytest.fixture
def long_video(video: Path, tmp_path: Path) -> Path:
    """The clip with a padding box, so that its upload takes two parts."""
    path, padding = tmp_path / "long.mp4", PART_BYTES
    box = struct.pack(">I4s", padding, b"free")
    path.write_bytes(video.read_bytes() + box + bytes(padding - len(box)))
    return path


def offsets_of(page: Page) -> list[int]:
    """The offsets of the parts that the page sends from now on."""
    sent: list[int] = []
    page.on("request", lambda one: one.method == "PATCH" and sent.append(int(one.headers["upload-offset"])))
    return sent


def cancel(page: Page) -> None:
    page.wait_for_url("**/#/jobs/*")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("You have cancelled").wait_for()


def test_a_cut_off_upload_continues_where_it_was(site: Site, page: Page, long_video: Path) -> None:
    page.goto(site.at())
    sent, cuts = offsets_of(page), [True]

    def cut_once(route: Route) -> None:
        if route.request.headers.get("upload-offset") == str(PART_BYTES) and cuts:
            cuts.pop()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/v1/uploads/*", cut_once)
    with page.expect_request("**/v1/jobs") as created:
        page.set_input_files("#file", long_video)
    assert sent == [0, PART_BYTES, PART_BYTES]
    stored = created.value.post_data_json["video"]
    assert stored["sha256"] == hashlib.sha256(long_video.read_bytes()).hexdigest()
    cancel(page)
    photograph(page, "8-cancelled")


def test_an_upload_continues_after_the_page_was_closed(site: Site, page: Page, long_video: Path) -> None:
    page.goto(site.at())
    page.route("**/v1/uploads/*", _cut_later_parts)
    page.set_input_files("#file", long_video)
    page.get_by_text("The connection is lost").wait_for()
    photograph(page, "6-connection-lost")
    page.reload()  # first, or the page would go on by itself
    page.unroute_all()
    sent = offsets_of(page)
    with page.expect_request("**/v1/jobs") as created:
        page.set_input_files("#file", long_video)
    assert sent[0] >= PART_BYTES, "what had arrived is not sent again"
    stored = created.value.post_data_json["video"]
    assert stored["sha256"] == hashlib.sha256(long_video.read_bytes()).hexdigest()
    cancel(page)


def _cut_later_parts(route: Route) -> None:
    if route.request.method == "PATCH" and route.request.headers["upload-offset"] != "0":
        route.abort("connectionreset")
    else:
        route.continue_()


@pytest.mark.parametrize(
    ("content", "advice"), [(b"", "The file is empty."), (b"no video" * 99, "This file is no video")]
)
def test_what_is_no_video_is_refused_with_advice(
    site: Site, page: Page, tmp_path: Path, content: bytes, advice: str
) -> None:
    path = tmp_path / "rubbish.mp4"
    path.write_bytes(content)
    page.goto(site.at())
    page.set_input_files("#file", path)
    alert = page.get_by_role("alert")
    alert.get_by_text(advice).wait_for()
    photograph(page, "7-refused")
