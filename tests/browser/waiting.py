"""Waits for what a page does."""

import time

from playwright.sync_api import Page

UNTIL_S = 20.0


def until(page: Page, condition: str) -> None:
    """Waits until a JavaScript expression is true; the page's security policy forbids `wait_for_function`."""
    ends_at = time.monotonic() + UNTIL_S
    while not page.evaluate(f"Boolean({condition})"):
        assert time.monotonic() < ends_at, f"not within {UNTIL_S:.0f} s: {condition}"
        page.wait_for_timeout(20)
