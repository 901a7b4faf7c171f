"""A video becomes one with music, in the browser: upload, progress, variants, download."""

import subprocess
import zipfile
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import Site, photograph
from tests.browser.listening import RATE_HZ, decoded, listen_in, mismatch, record
from tests.browser.waiting import until

pytestmark = pytest.mark.process


@pytest.fixture
def result(site: Site, job: str, context: BrowserContext) -> Page:
    """The finished job, in a new browser, before anything is played."""
    listen_in(context)
    page = context.new_page()
    page.goto(site.at(job))
    page.locator(".timeline").wait_for()
    page.locator("[data-track=original] small", has_text="equally loud").wait_for()
    return page


def download(page: Page, kind: str, folder: Path) -> Path:
    with page.expect_download() as started:
        page.locator(f"[data-kind={kind}]").click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def sounds_of(page: Page, folder: Path) -> dict[str, Path]:
    """The sound of each variant, as the page offers it."""
    found = {}
    for track in ("variant-1", "variant-2"):
        page.locator(f"[data-track={track}]").click()
        page.locator(".quiet", has_text=f"Variant {track[-1]}, ").wait_for()
        found[track] = download(page, "audio", folder)
    return found


def position(page: Page) -> float:
    return float(page.evaluate("document.querySelector('video').currentTime"))


ATTEMPTS = 5
"""Recordings of 0.6 s within which the sound must have changed."""


def test_a_switch_changes_the_sound_and_holds_the_position(result: Page, tmp_path: Path) -> None:
    sounds = {track: decoded(path) for track, path in sounds_of(result, tmp_path).items()}
    result.locator("[data-track=variant-1]").click()
    result.get_by_role("button", name="Play").first.click()
    until(result, "window.recorder")
    for track, other in (("variant-2", "variant-1"), ("variant-1", "variant-2"), ("variant-2", "variant-1")):
        result.evaluate(
            "document.querySelector('video').currentTime = 1; document.querySelector('video').play()"
        )
        until(result, "document.querySelector('video').currentTime > 1.7")
        took_ms = result.evaluate(
            """async (track) => {
                const began = performance.now();
                document.querySelector(`[data-track=${track}]`).click();
                const video = document.querySelector("video");
                const clock = video.currentTime;
                await new Promise((done) => setTimeout(done, 150));
                return 1000 * (video.currentTime - clock) - (performance.now() - began);
            }""",
            track,
        )
        assert abs(took_ms) < 400, "the position went on as if nothing had happened"
        for _ in range(ATTEMPTS):  # a busy machine drops some of what is recorded
            near_s = position(result)
            heard = record(result, 0.6)
            right, at_s = mismatch(heard, sounds[track], near_s)
            if right < 0.05:
                break
        wrong, _ = mismatch(heard, sounds[other], near_s)
        assert right < 0.05, f"{track} is heard after the switch"
        assert wrong > 3 * right, f"{other} is no longer heard"
        assert abs(near_s - at_s) < 0.35, "the sound is at the picture's position"
    photograph(result, "3-playing")


def test_the_downloaded_video_has_the_picture_and_the_sound_that_was_heard(
    result: Page, video: Path, tmp_path: Path
) -> None:
    sounds = sounds_of(result, tmp_path)
    made = download(result, "video", tmp_path)
    assert made.name == "best day-variant-2.mp4"
    right, _ = mismatch(decoded(made)[96000:144000], decoded(sounds["variant-2"]), 2.0)
    assert right < 0.01
    assert _picture(made) == _picture(video), "the picture is copied, not encoded again"
    captions = download(result, "captions", tmp_path).read_text()
    assert "best day" in captions.replace("\n", " ")


def _picture(video: Path) -> str:
    """A hash of the packets of the picture."""
    command = ["ffmpeg", "-v", "error", "-i", video, "-map", "0:v:0", "-c", "copy", "-f", "md5", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_project_for_editors_has_all_that_the_sound_consists_of(result: Page, tmp_path: Path) -> None:
    result.locator("[data-track=variant-1]").click()
    result.locator(".quiet", has_text="Variant 1, ").wait_for()
    with zipfile.ZipFile(download(result, "project", tmp_path)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
        names = archive.namelist()
    timeline = otio.adapters.read_from_file(str(tmp_path / "variant-1.otio"))
    files = {track.name: tmp_path / track[0].media_reference.target_url for track in timeline.tracks}
    assert {file.name for file in files.values()} | {"variant-1.otio"} == set(names)
    frames = timeline.tracks[2][0].effects[0].metadata["etbgm"]["key_frames"]
    speech, music, finished = (decoded(files[name]) for name in ("Speech", "Music", "Finished sound"))
    times = np.arange(len(speech)) / RATE_HZ
    gain_db = np.interp(times, [one["time_s"] for one in frames], [one["gain_db"] for one in frames])
    length = min(map(len, (speech, music, finished)))
    summed = (speech * 10 ** (gain_db / 20))[:length] + music[:length]
    wrong, _ = mismatch(summed[RATE_HZ : 5 * RATE_HZ], finished, 1.0)
    assert wrong < 0.02, "speech with its key frames, and the music, are the finished sound"


def test_a_reload_and_a_second_tab_show_the_same_variant_and_position(result: Page) -> None:
    result.locator("[data-track=variant-2]").click()
    result.evaluate("document.querySelector('video').currentTime = 4")
    until(result, "document.querySelector('.time').textContent.startsWith('0:04')")
    result.reload()
    until(result, "document.querySelector('.time')?.textContent.startsWith('0:04')")
    assert result.locator("[data-track=variant-2]").get_attribute("aria-selected") == "true"
    second = result.context.new_page()
    second.goto(result.url)
    second.locator("[data-track=variant-2][aria-selected=true]").wait_for()


def test_the_licences_are_told_in_plain_words(result: Page) -> None:
    assert result.locator(".verdict").inner_text().startswith("Yes, also commercially.")
    result.get_by_text("What made it").click()
    names = result.locator("tbody th").all_inner_texts()
    assert "FluidR3_GM" in names and "e5-goemotions" in names
