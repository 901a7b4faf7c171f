"""Pieces of speech become windows that Whisper can hear at once."""

import numpy as np
import pytest

from etbgm_kit.media.vad import SAMPLE_RATE_HZ
from etbgm_kit.types import Span
from etbgm_stt.languages import code_of, must_translate, tag_of
from etbgm_stt.speech import Speech
from etbgm_stt.windows import MAX_PAUSE_S, WINDOW_S, gather


def piece(start_s: float, end_s: float) -> Speech:
    return Speech(Span(start_s, end_s), np.ones(round((end_s - start_s) * SAMPLE_RATE_HZ), np.float32))


def test_windows_end_at_long_pauses_and_when_they_are_full() -> None:
    pieces = [piece(1, 4), piece(5, 20), piece(21, 30), piece(31.5, 40), piece(42.5, 43), piece(43, 71)]
    done = [window for _, windows in gather([(71.0, pieces)]) for window in windows]
    spans = [(window.span.start_s, window.span.end_s) for window in done]
    assert spans == [(1, 30), (31.5, 40), (42.5, 71)]
    assert all(window.span.duration_s <= WINDOW_S for window in done)


def test_what_is_known_stops_before_the_window_that_is_open() -> None:
    found = [(5.0, [piece(1, 2)]), (10.0, []), (15.0, [piece(2 + MAX_PAUSE_S + 1, 8)])]
    known = [(known_s, len(windows)) for known_s, windows in gather(found)]
    assert known == [(1, 0), (1, 0), (5, 1), (15, 1)]


def test_samples_lie_where_they_were_said() -> None:
    ((_, _), (_, [window])) = gather([(5.0, [piece(1.0, 2.0), piece(3.25, 4.0)])])
    loud = window.samples > 0
    assert window.speech_s == pytest.approx(1.75)
    assert loud[: SAMPLE_RATE_HZ - 1].all()
    assert not loud[SAMPLE_RATE_HZ : round(2.25 * SAMPLE_RATE_HZ)].any()
    assert loud[round(2.25 * SAMPLE_RATE_HZ) : 3 * SAMPLE_RATE_HZ].all()


@pytest.mark.parametrize(
    ("tag", "code"), [("en-GB", "en"), ("PT-br", "pt"), ("nb", "no"), ("jv", "jw"), ("yue", "yue")]
)
def test_tags_become_whispers_codes(tag: str, code: str) -> None:
    assert code_of(tag) == code
    assert code_of(tag_of(code)) == code


@pytest.mark.parametrize(
    ("code", "readable", "translated"),
    [("de", [], False), ("de", ["en"], True), ("de", ["en", "de-AT"], False), ("en", ["de"], False)],
)
def test_only_what_the_reader_cannot_read_is_translated(
    code: str, readable: list[str], translated: bool
) -> None:
    assert must_translate(code, readable) == translated
