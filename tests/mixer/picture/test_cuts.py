"""Cuts in films whose cuts are known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.types import Cut, CutKind
from etbgm_mixer.picture import cuts
from etbgm_mixer.picture.look import look
from tests.mixer.picture import films
from tests.mixer.picture.films import HEIGHT, RATE, WIDTH, Film, later, plain, scene, screen, slide

FRAME_S = 1 / RATE

Look = Callable[..., list[Cut]]


@pytest.fixture
def seen(tmp_path: Path) -> Look:
    """The cuts of a film as encoded, with a budget of pixels per second."""

    def see(film: Film, coding: str = "x264", budget_px_per_s: float = 1e9) -> list[Cut]:
        path = films.write(film, tmp_path / "film.mkv", coding)
        length_s = len(film.frames) / RATE
        return look(path, 0, 0.0, length_s, WIDTH * HEIGHT, lambda _: None, budget_px_per_s)[0]

    return see


def cut_film() -> Film:
    film = Film("cuts")
    for number, count in enumerate((40, 23, 61, 30)):
        film.add(scene(number, pan=number - 1.5), count)
    return film


@pytest.mark.parametrize("coding", films.CODINGS)
def test_hard_cuts_are_found_to_the_frame(seen: Look, coding: str) -> None:
    found = seen(cut_film(), coding)
    assert [cut.time_s for cut in found] == pytest.approx([1.6, 2.52, 4.96], abs=1.01 * FRAME_S)
    assert {cut.kind for cut in found} == {CutKind.HARD}
    assert min(cut.strength for cut in found) > 0.5


@pytest.mark.parametrize("count", [75, 16])
def test_intra_pictures_at_cuts_are_enough(seen: Look, count: int) -> None:
    """x264 allows no key frame within 25 pictures of another, but intra pictures."""
    film = Film("cuts").add(scene(1), 60).add(scene(2), count).add(scene(3), 50)
    found = seen(film, budget_px_per_s=0.1e6)
    assert [cut.time_s for cut in found] == pytest.approx([2.4, 2.4 + count / 25], abs=1.01 * FRAME_S)


def test_pans_flashes_and_pointers_are_no_cuts(seen: Look) -> None:
    film = Film("no cuts").add(scene(5), 20).add(scene(5, pan=40.0), 40, cut=False)
    film.add(films.flashing(later(scene(5), 100), (10, 40)), 60)
    found = seen(film.add(screen(4), 100))
    assert [cut.time_s for cut in found] == pytest.approx([2.4, 4.8], abs=1.01 * FRAME_S)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("budget_px_per_s", [1e9, 2e6])
def test_a_new_slide_is_a_cut(seen: Look, dark: bool, budget_px_per_s: float) -> None:
    film = Film("slides")
    for number in range(4):
        film.add(slide(20 + number, 5, dark), 30)
    found = seen(film, budget_px_per_s=budget_px_per_s)
    assert [cut.time_s for cut in found] == pytest.approx([1.2, 2.4, 3.6], abs=1.01 * FRAME_S)


@pytest.mark.parametrize("kind", [CutKind.DISSOLVE, CutKind.FADE])
def test_gradual_transitions_are_found_in_their_middle(seen: Look, kind: CutKind) -> None:
    one, other = scene(7), scene(8)
    film = Film("gradual").add(later(one, 20), 50)
    if kind is CutKind.FADE:
        film.dissolve(later(one, 70), plain(0), 15).add(plain(0), 6).dissolve(plain(0), other, 15)
    else:
        film.dissolve(later(one, 70), other, 20)
    (found,) = seen(film.add(later(other, 20), 50))
    middle_s = (50 + (18 if kind is CutKind.FADE else 10)) * FRAME_S
    assert (found.time_s, found.kind) == (pytest.approx(middle_s, abs=0.2), kind)


def test_a_change_of_light_is_none() -> None:
    picture = np.clip(np.random.default_rng(3).normal(100, 30, (36, 64, 3)), 0, 255).astype(np.uint8)
    assert cuts.change(picture, (picture * 0.6).astype(np.uint8)) < 0.05
    assert cuts.change(picture, np.roll(picture, 4, axis=1)) < 0.2
    assert cuts.change(picture, picture[::-1]) > 0.9
