"""Finished canvases are kept, made once, and made by another when their maker gives up."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from etbgm_kit.errors import CallCancelled
from etbgm_riffusion.diffusion.shelf import Shelf


def no_look() -> None:
    pass


def test_the_last_values_are_kept() -> None:
    shelf: Shelf[str, str] = Shelf(2)
    made: list[str] = []

    def get(key: str) -> str:
        def make() -> str:
            made.append(key)
            return key.upper()

        return shelf.get(key, make, no_look)

    assert [get(key) for key in "abacabb"] == list("ABACABB")
    assert made == ["a", "b", "c", "b"]


def test_what_is_being_made_is_waited_for() -> None:
    shelf: Shelf[str, str] = Shelf(2)
    begun, go_on, looked = threading.Event(), threading.Event(), threading.Event()

    def make() -> str:
        begun.set()
        assert go_on.wait(10)
        return "made"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shelf.get, "key", make, no_look)
        assert begun.wait(10)
        second = pool.submit(shelf.get, "key", lambda: "made twice", looked.set)
        assert looked.wait(10)
        go_on.set()
        assert (first.result(10), second.result(10)) == ("made", "made")


def test_another_makes_it_when_the_maker_gives_up() -> None:
    shelf: Shelf[str, str] = Shelf(2)
    begun, go_on, looked = threading.Event(), threading.Event(), threading.Event()

    def give_up() -> str:
        begun.set()
        assert go_on.wait(10)
        raise CallCancelled

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shelf.get, "key", give_up, no_look)
        assert begun.wait(10)
        second = pool.submit(shelf.get, "key", lambda: "made by another", looked.set)
        assert looked.wait(10)
        go_on.set()
        assert second.result(10) == "made by another"
        with pytest.raises(CallCancelled):
            first.result(10)


def test_who_waits_may_leave() -> None:
    shelf: Shelf[str, str] = Shelf(2)
    begun, go_on = threading.Event(), threading.Event()

    def make() -> str:
        begun.set()
        assert go_on.wait(10)
        return "made"

    def leave() -> None:
        raise CallCancelled

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shelf.get, "key", make, no_look)
        assert begun.wait(10)
        with pytest.raises(CallCancelled):
            shelf.get("key", make, leave)
        go_on.set()
        assert first.result(10) == "made"
