"""Words lie within the speech that the detector found."""

from typing import NamedTuple

import pytest

from etbgm_kit.types import Segment
from etbgm_stt.alignment import REACH_S, segments_of
from etbgm_stt.windows import PAUSE_S, PIECES, Window

from .conftest import piece


class Heard(NamedTuple):
    """A word as faster-whisper tells it."""

    start: float
    end: float
    word: str
    probability: float = 0.9


PAD_S = PIECES.pad_s


def window(*spans_s: tuple[float, float]) -> Window:
    return Window(tuple(piece(*span_s) for span_s in spans_s))


def times(segment: Segment) -> list[tuple[float, float]]:
    return [(pytest.approx(word.span.start_s), pytest.approx(word.span.end_s)) for word in segment.words]


def test_outer_words_reach_the_edges_of_the_speech() -> None:
    words = [Heard(0.0, 0.6, " So"), Heard(0.6, 1.5, " it"), Heard(1.5, 2.5, " goes.")]
    (segment,) = segments_of(window((10.0, 13.0)), words, 0.0)
    assert times(segment) == [(10 + PAD_S, 10.6), (10.6, 11.5), (11.5, 13 - PAD_S)]
    assert (segment.span.start_s, segment.text) == (pytest.approx(10 + PAD_S), "So it goes.")


def test_a_word_that_is_far_from_an_edge_or_beyond_it_stays() -> None:
    far_s = PAD_S + REACH_S + 0.1
    (far,) = segments_of(window((10.0, 13.0)), [Heard(far_s, 3 - far_s, " alone")], 0.0)
    assert times(far) == [(10 + far_s, 13 - far_s)]
    early, late = Heard(0.0, PAD_S / 2, " a"), Heard(3 - PAD_S / 2, 3.0, " z")
    (beyond,) = segments_of(window((10.0, 13.0)), [early, late], 0.0)
    assert times(beyond) == [(10.0, 10 + PAD_S / 2), (13 - PAD_S / 2, 13.0)]


def test_speech_has_no_pads_where_it_was_cut_and_at_the_start() -> None:
    cut = window((0.0, 3.0), (3.0, 6.0))
    words = [Heard(0.1, 2.9, " one"), Heard(3.1, 5.9, " two")]
    one, two = segments_of(cut, words, 0.0)
    assert times(one) == [(0.0, 3.0)]
    assert times(two) == [(3.0, 6 - PAD_S)]


def test_times_are_those_of_the_media_although_pauses_are_shortened() -> None:
    words = [Heard(5.1, 5.9, " one"), Heard(6.0 + PAUSE_S, 7.0 + PAUSE_S, " two")]
    one, two = segments_of(window((10.0, 11.0), (50.0, 51.0)), words, 5.0)
    assert times(one) == [(10 + PAD_S, 11 - PAD_S)]
    assert times(two) == [(50 + PAD_S, 51 - PAD_S)]
    assert two.confidence == pytest.approx(0.9)
