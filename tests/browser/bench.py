"""Measures the page: time to the first paint, movements of the layout, frames of a two-hour timeline.

usage: python -m tests.browser.bench
"""

import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page

from tests.browser import answers, clip
from tests.browser.conftest import Site, chromium, installed, serving

RUNS = 5
MOVES_S = 6.0
"""Time for which the timeline is zoomed and panned."""

_WATCH = """
window.shifts = 0;
new PerformanceObserver((list) => list.getEntries().forEach((one) => (window.shifts += one.value)))
  .observe({ type: "layout-shift", buffered: true });
"""

_MOVE = """async (ms) => {
  const board = document.querySelector(".board");
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  const ends = last + ms;
  for (let i = 0; last < ends; i++) {
    const zooms = i % 240 < 120;
    const deltaY = zooms ? (i % 240 < 60 ? -14 : 14) : 0;
    const where = { clientX: 640, clientY: 300, bubbles: true, cancelable: true };
    const deltaX = zooms ? 0 : 25;
    board.dispatchEvent(new WheelEvent("wheel", { deltaX, deltaY, ctrlKey: zooms, ...where }));
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames;
}"""


def paint_ms(browser: Browser, site: Site) -> tuple[float, float]:
    """Returns when the first view was painted in a browser with an empty cache, and its layout shift."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(_WATCH)
    page = context.new_page()
    page.goto(site.at())
    page.get_by_text("Drop a video here").wait_for()
    page.wait_for_timeout(500)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    shift = page.evaluate("window.shifts")
    context.close()
    return float(paint), float(shift)


def frames_ms(browser: Browser, site: Site, video: Path) -> tuple[list[float], float]:
    """Returns the times between frames while a timeline of two hours is zoomed and panned.

    And the time that the page's script takes for one, which needs no graphics card.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    place = answers.serve_long(context, video)
    page: Page = context.new_page()
    page.goto(site.at(place))
    page.locator(".editor").wait_for()
    page.wait_for_timeout(1000)
    tools = context.new_cdp_session(page)
    tools.send("Performance.enable")
    before_s = _script_s(tools)
    frames: list[float] = page.evaluate(_MOVE, MOVES_S * 1000)
    script_s = _script_s(tools) - before_s
    context.close()
    return sorted(frames), 1000 * script_s / len(frames)


def _script_s(tools: CDPSession) -> float:
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "ScriptDuration")


def main() -> None:
    """Prints the figures."""
    program = installed()
    assert program, "there is no Chromium here: apt-get install chromium"
    with tempfile.TemporaryDirectory() as name:
        video = clip.make(Path(name))
        with serving(Path(name) / "site") as site, chromium(program) as browser:
            paints, shifts = zip(*(paint_ms(browser, site) for _ in range(RUNS)), strict=True)
            frames, script_ms = frames_ms(browser, site, video)
    median, late = statistics.median(frames), frames[round(0.95 * len(frames))]
    lines = (
        f"first contentful paint: median {statistics.median(paints):.0f} ms, worst {max(paints):.0f} ms",
        f"cumulative layout shift: at most {max(shifts):.3f}",
        f"2-hour timeline: {len(frames) / MOVES_S:.0f} frames/s; median {median:.1f} ms, 95 % {late:.1f} ms",
        f"script of the page: {script_ms:.1f} ms per frame",
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
