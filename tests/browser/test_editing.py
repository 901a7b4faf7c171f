"""Changes on the timeline become a remix that computes only what they touch."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from tests.browser.conftest import JOB_MS, Site, photograph
from tests.browser.listening import decoded
from tests.browser.test_states import check_accessibility
from tests.browser.waiting import until

pytestmark = pytest.mark.process

BOUNDARY_PX = 7


@pytest.fixture
def editor(site: Site, job: str, context: BrowserContext) -> Page:
    """A new browser with the finished job."""
    page = context.new_page()
    page.goto(site.at(job))
    page.locator(".editor").wait_for()
    return page


def drag_first_boundary(page: Page, by_px: int) -> None:
    """Finds the boundary between two emotions as a user does, by the shape of the pointer, and drags it."""
    board = page.locator(".board")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    assert box
    y = box["y"] + 44
    for x in range(20, int(box["width"]) - 20, BOUNDARY_PX):
        page.mouse.move(box["x"] + x, y)
        if page.evaluate("document.querySelector('.board').classList.contains('grips')"):
            page.mouse.down()
            page.mouse.move(box["x"] + x + by_px, y, steps=5)
            page.mouse.up()
            return
    raise AssertionError("there is no boundary to drag")


def draft(page: Page) -> dict[str, object]:
    """The changes as the page keeps them."""
    text = page.evaluate("Object.entries(localStorage).find(([key]) => key.startsWith('etbgm.draft'))?.[1]")
    return dict(json.loads(text or "{}"))


def test_a_dragged_boundary_and_muted_music_are_remixed(editor: Page, tmp_path: Path) -> None:
    before = editor.url
    drag_first_boundary(editor, -60)
    spans = draft(editor)["spans"]
    assert isinstance(spans, list) and len(spans) >= 2
    editor.get_by_role("button", name="Undo").click()
    assert draft(editor) == {}
    editor.get_by_role("button", name="Redo").click()
    assert draft(editor)["spans"] == spans
    editor.locator(".board").focus()
    editor.keyboard.press("[")
    editor.get_by_label("Music here").select_option("mute")
    photograph(editor, "4-editing")

    editor.reload()
    remix = editor.get_by_role("button", name="Remix")
    remix.wait_for()
    assert len(draft(editor)["spans"]) == len(spans), "the changes survive a reload"  # type: ignore[arg-type]
    with editor.expect_request("**/*:remix") as asked:
        remix.click()
    body = asked.value.post_data_json
    assert set(body["updateMask"].split(",")) == {"timeline", "mix.musicLevels"}
    editor.wait_for_url(lambda url: url != before)
    editor.locator("[data-track=old]").wait_for(timeout=JOB_MS)
    assert draft(editor) == {}

    job = editor.evaluate("fetch('/v1/jobs/' + location.hash.split('/')[2]).then((answer) => answer.json())")[
        "job"
    ]
    found = {stage["stage"]: stage["found"] for stage in job["stages"]}
    assert [name for name, was_found in found.items() if not was_found] == ["STAGE_GENERATE", "STAGE_MIX"]
    with editor.expect_download() as started:
        editor.locator("[data-kind=music]").click()
    started.value.save_as(tmp_path / "music.flac")
    music, muted = decoded(tmp_path / "music.flac"), job["settings"]["mix"]["musicLevels"][0]["span"]
    start_s, end_s = (float(muted[edge].rstrip("s")) for edge in ("start", "end"))
    inside = music[round((start_s + 0.3) * 48000) : round((end_s - 0.3) * 48000)]
    assert abs(inside).max() < 1e-4 < abs(music).max() / 100
    photograph(editor, "5-remixed")


def test_words_style_and_level_are_asked_for(editor: Page) -> None:
    editor.evaluate("document.querySelector('video').currentTime = 2.5")
    words = editor.get_by_label("Words at")
    words.wait_for()
    words.fill("We lost the prize.")
    words.press("Enter")
    editor.get_by_label("Style of variant").select_option("jazz")
    editor.get_by_role("radio", name="High").check()
    asked: list[dict[str, object]] = []
    refusal = {"status": 429, "reason": "QUOTA_EXCEEDED", "detail": "no more today"}

    def refuse(route: object) -> None:
        asked.append(route.request.post_data_json)  # type: ignore[attr-defined]
        route.fulfill(status=429, content_type="application/problem+json", body=json.dumps(refusal))  # type: ignore[attr-defined]

    editor.route("**/*:remix", refuse)
    editor.get_by_role("button", name="Remix").click()
    editor.get_by_role("alert").get_by_text("Your quota is used up").wait_for()
    until(editor, "document.querySelector('.remix button')")
    [body] = asked
    assert body["updateMask"] == "mix.speechToMusicLu,variantSettings"
    assert body["settings"] == {
        "mix": {"speechToMusicLu": 10},
        "variantSettings": [{"number": 1, "style": "jazz"}],
    }
    segments = body["transcript"]["segments"]  # type: ignore[index]
    assert segments[0]["text"] == "We lost the prize."
    editor.get_by_role("button", name="Discard").click()
    assert draft(editor) == {}


HITS = {
    "cuts": [
        {"time": "2.48s", "strength": 0.9, "kind": "CUT_KIND_HARD", "origin": "CUT_ORIGIN_PICTURE"},
        {"time": "5.2s", "strength": 0.7, "kind": "CUT_KIND_HARD", "origin": "CUT_ORIGIN_PICTURE"},
        {"time": "7.04s", "strength": 0.3, "kind": "CUT_KIND_FADE", "origin": "CUT_ORIGIN_PICTURE"},
    ],
    "pictureMood": {
        "arousal": [0.0, 0.2, 0.6, 0.9, 0.4, -0.2, -0.6, -0.3],
        "valence": [-0.5, -0.4, -0.1, 0.3, 0.4, 0.4, 0.1, -0.2],
    },
}


def drag_hit(page: Page, name: str, at_s: float, by_s: float) -> None:
    """Drags the hit at a time, in the row with this name, by so many seconds."""
    board, label = page.locator(".board"), page.locator(".lanes > span", has_text=name)
    board.scroll_into_view_if_needed()
    box, row = board.bounding_box(), label.bounding_box()
    assert box and row
    duration_s = float(page.evaluate("document.querySelector('.board').ariaValueMax"))
    x, y = box["x"] + box["width"] * at_s / duration_s, row["y"] + row["height"] - 6
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] * by_s / duration_s, y, steps=5)
    page.mouse.up()


def test_hits_are_dragged_dropped_and_added(site: Site, job: str, context: BrowserContext) -> None:
    page = context.new_page()

    def with_hits(route: Route) -> None:
        answer = route.fetch().json()
        answer["job"]["result"] |= HITS
        route.fulfill(json=answer)

    page.route(f"**/v1/{job}", with_hits)
    page.goto(site.at(job))
    page.locator(".editor").wait_for()
    drag_hit(page, "Picture", 5.2, 0.8)
    moved = draft(page)["hits"][1]["at"]  # type: ignore[index]
    assert 5.8 < moved < 6.2 and "5.2s" not in json.dumps(draft(page))
    page.get_by_role("button", name="Undo").click()
    assert draft(page) == {}, "a drag is one step"
    page.get_by_role("button", name="Redo").click()
    drag_hit(page, "Picture", 2.48, 9.0)
    assert draft(page)["hits"][0]["at"] == pytest.approx(moved - 0.1), "hits do not pass each other"  # type: ignore[index]
    page.get_by_role("button", name="Undo").click()

    page.evaluate("document.querySelector('video').currentTime = 1")
    page.locator(".board").focus()
    for key, said in ((".", "Hit at 0:02.5"), ("Delete", "Hit at 0:02.5, dropped")):
        page.keyboard.press(key)
        page.locator("#status").get_by_text(said, exact=True).wait_for()
    page.evaluate("document.querySelector('video').currentTime = 4")
    until(page, "document.querySelector('.board').ariaValueNow == 4")
    page.keyboard.press("m")
    page.get_by_label("Strength of the hit").fill("0.8")
    page.get_by_label("How the music marks cuts").select_option("STRONG")
    page.get_by_role("button", name="Add a hit").click()
    page.locator("#status").get_by_text("There is a hit here already").wait_for()
    check_accessibility(page)
    photograph(page, "6-hits")

    asked: list[Any] = []
    page.route("**/*:remix", lambda route: (asked.append(route.request.post_data_json), route.abort()))
    page.get_by_role("button", name="Remix").click()
    until(page, "document.querySelector('[role=alert]')")
    assert set(asked[0]["updateMask"].split(",")) == {"cuts", "hits"}
    assert asked[0]["settings"]["hits"] == "HITS_STRONG"
    assert [(cut["time"], cut["strength"]) for cut in asked[0]["settings"]["cuts"]["cuts"]] == [
        ("2.48s", 0), ("4s", 0.8), (f"{moved:g}s", 0.7), ("7.04s", 0.3),
    ]  # fmt: skip
