"""While a remix is computed, the page plays what it has changed, at its place."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.browser import answers
from tests.browser.conftest import Site, photograph
from tests.browser.listening import decoded, listen_in, mismatch, record
from tests.browser.test_states import check_accessibility
from tests.browser.waiting import until

pytestmark = pytest.mark.process

START_S, END_S = 2.0, 8.0


@pytest.fixture
def change(video: Path, tmp_path: Path) -> Path:
    """Six seconds of sound, backwards, so that nothing else on the page sounds like it."""
    path = tmp_path / "change.m4a"
    command = ["ffmpeg", "-v", "error", "-ss", "1", "-t", "6", "-i", video, "-vn", "-af", "areverse"]
    subprocess.run([*command, "-c:a", "aac", path], check=True)
    return path


def test_the_change_is_heard_at_its_place(
    site: Site, context: BrowserContext, video: Path, change: Path
) -> None:
    upload = f"{site.url}/v1/uploads/excerpt-{'a' * 8}"
    headers = {"Authorization": f"Bearer {site.key}", "Content-Type": "video/mp4"}
    sent = context.request.put(upload, headers=headers, data=video.read_bytes())
    audio = {"uri": "artifact://sha256/excerpt.m4a", "sizeBytes": str(change.stat().st_size)}
    excerpt = {"number": 1, "span": {"start": f"{START_S}s", "end": f"{END_S}s"}, "audio": audio}
    context.route("**/v1/artifacts/excerpt.m4a", lambda route: route.fulfill(path=change))
    listen_in(context)
    page = context.new_page()
    remix = answers.job("RUNNING", video=sent.json()["video"], parentJobId="parent", excerpt=excerpt)
    page.goto(site.at(answers.serve(context, remix)))
    page.get_by_role("tab", name="The change").wait_for()
    # On a busy machine the first sound may still catch up with the picture.
    for after_s in (2.4, 3.4, 4.4, 5.4, 6.4, 7.2):
        until(page, f"document.querySelector('video').currentTime > {after_s}")
        at_s = float(page.evaluate("document.querySelector('video').currentTime"))
        wrong, found_s = mismatch(record(page, 0.4), decoded(change), at_s - START_S)
        late_s = abs(START_S + found_s - at_s)
        if wrong < 0.05 and late_s < 0.35:
            break
    assert wrong < 0.05
    assert late_s < 0.35, "it is at the picture's position"
    until(page, "document.querySelector('video').paused")
    assert END_S <= float(page.evaluate("document.querySelector('video').currentTime")) < END_S + 0.5
    check_accessibility(page)
    photograph(page, "4-change")
