"""What several calls need is done once, and kept only for the latest keys."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from etbgm_mixer.once import Once


def test_calls_at_the_same_time_share_one_result() -> None:
    once: Once[str, object] = Once(2)
    started, proceed, done = threading.Event(), threading.Event(), []

    def work() -> object:
        started.set()
        assert proceed.wait(10)
        done.append(object())
        return done[-1]

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(once.get, "voice", work)
        assert started.wait(10)
        others = [threads.submit(once.get, "voice", work) for _ in range(3)]
        assert once.get("another", lambda: "other") == "other"
        proceed.set()
        assert {first.result(10), *(other.result(10) for other in others)} == {done[0]}
    assert len(done) == 1


def test_the_next_one_tries_again_after_an_error() -> None:
    once: Once[str, int] = Once(1)
    with pytest.raises(ZeroDivisionError):
        once.get("voice", lambda: 1 // 0)
    assert once.get("voice", lambda: 7) == 7


def test_only_the_latest_are_kept() -> None:
    once: Once[int, int] = Once(2)
    for key in (1, 2, 1, 3):
        once.get(key, lambda key=key: key)  # type: ignore[misc]
    assert once.get(1, lambda: 0) == 1
    assert once.get(2, lambda: 0) == 0
