"""Pieces of speech become windows that Whisper can hear at once."""

import pytest

from etbgm_kit.media.vad import SAMPLE_RATE_HZ
from etbgm_stt.languages import code_of, tag_of
from etbgm_stt.windows import PAUSE_S, WINDOW_S, gather

from .conftest import piece


def test_windows_end_when_they_are_full() -> None:
    pieces = [piece(1, 4), piece(5, 20), piece(60, 70), piece(71.5, 80), piece(90, 118)]
    done = [window for _, windows in gather([(120.0, pieces)]) for window in windows]
    assert [[one.span.start_s for one in window.pieces] for window in done] == [[1, 5, 60], [71.5], [90]]
    assert all(len(window.samples) <= WINDOW_S * SAMPLE_RATE_HZ for window in done)


def test_what_is_known_stops_before_the_window_that_is_open() -> None:
    found = [(5.0, [piece(1, 2)]), (10.0, []), (35.0, [piece(5, 32)]), (40.0, [piece(36, 38)])]
    known = [(known_s, len(windows)) for known_s, windows in gather(found)]
    assert known == [(1, 0), (1, 0), (1, 0), (36, 1), (40, 1)]


def test_long_pauses_are_shortened_and_short_ones_kept() -> None:
    ((_, _), (_, [window])) = gather([(50.0, [piece(1.0, 2.0), piece(2.25, 4.0), piece(44.0, 45.0)])])
    assert [(place.start_s, place.end_s) for place in window.places] == [
        (0, 1),
        (1.25, 3),
        (pytest.approx(3 + PAUSE_S), pytest.approx(4 + PAUSE_S)),
    ]
    loud = window.samples > 0
    assert loud[: SAMPLE_RATE_HZ - 1].all()
    assert not loud[SAMPLE_RATE_HZ : round(1.25 * SAMPLE_RATE_HZ)].any()
    assert loud[round(1.25 * SAMPLE_RATE_HZ) : 3 * SAMPLE_RATE_HZ].all()
    assert loud[-1]


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en-GB", "en"),
        ("PT-br", "pt"),
        ("nb", "no"),
        ("jv", "jw"),
        ("yue", "yue"),
        ("spa", "es"),
        ("tl", "tl"),
    ],
)
def test_tags_become_whispers_codes(tag: str, code: str) -> None:
    assert code_of(tag) == code
    assert code_of(tag_of(code)) == code
