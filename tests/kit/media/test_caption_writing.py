"""What was said becomes captions that people can read."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etbgm_kit.media.caption_writing import (
    CUE_S,
    LINE_CHARACTERS,
    SHORTEST_CUE_S,
    WIDE_LINE_CHARACTERS,
    write_srt,
    write_vtt,
)
from etbgm_kit.media.captions import read_captions
from etbgm_kit.types import Segment, Span, Transcript, Word

ENGLISH = (
    "Printing, in the only sense with which we are at present concerned, differs from most if not from all "
    "the arts and crafts represented in the Exhibition. It is comparatively modern."
)
KOREAN = "그는 이리저리 피하면서 길 한 옆으로 걸어갔다. 오늘은 날씨가 정말 좋네요 그래서 우리는 공원에 갔어요"
CHINESE = "广州市房地产中介协会分析，今天天气真的很好我们一起去公园玩吧"


def spoken(words: list[str], text: str, word_s: float = 0.3, start_s: float = 0.0) -> Segment:
    """Words without pauses between them."""
    timed = [
        Word(Span(start_s + i * word_s, start_s + (i + 1) * word_s), word, 1.0)
        for i, word in enumerate(words)
    ]
    return Segment(Span(start_s, timed[-1].span.end_s), text, 1.0, tuple(timed))


def cues_of(*segments: Segment, language: str = "en") -> list[tuple[float, float, list[str]]]:
    """Start, end and lines of each cue."""
    blocks = write_vtt(Transcript(segments, language)).split("\n\n")[1:-1]
    cues = []
    for times, *lines in (block.split("\n") for block in blocks):
        h1, m1, s1, h2, m2, s2 = map(float, re.findall(r"[\d.]+", times))
        cues.append((h1 * 3600 + m1 * 60 + s1, h2 * 3600 + m2 * 60 + s2, lines))
    return cues


def test_cues_and_lines_break_at_phrases() -> None:
    assert [lines for _, _, lines in cues_of(spoken(ENGLISH.split(), ENGLISH))] == [
        ["Printing, in the only sense with", "which we are at present concerned,"],
        ["differs from most if not from all the arts", "and crafts represented in the Exhibition."],
        ["It is comparatively modern."],
    ]


@pytest.mark.parametrize(
    ("text", "words", "language"), [(KOREAN, KOREAN.split(), "ko"), (CHINESE, list(CHINESE), "zh-CN")]
)
def test_wide_characters_have_shorter_lines(text: str, words: list[str], language: str) -> None:
    lines = [line for _, _, lines in cues_of(spoken(words, text), language=language) for line in lines]
    assert max(map(len, lines)) <= WIDE_LINE_CHARACTERS
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(" " not in line for line in lines) == (language == "zh-CN")


def test_short_and_quick_cues_stay_into_the_pause() -> None:
    yes = spoken(["Yes!"], "Yes!", 0.3)
    quick = spoken(ENGLISH.split()[:8], " ".join(ENGLISH.split()[:8]), 0.1, start_s=5.0)
    late = spoken(["No."], "No.", 0.3, start_s=9.0)
    (first, second, third) = cues_of(yes, quick, late)
    assert first[1] == pytest.approx(SHORTEST_CUE_S, abs=0.001)
    assert second[1] - second[0] == pytest.approx(len(" ".join(second[2])) / 20, abs=0.06)
    assert third[1] == pytest.approx(9 + SHORTEST_CUE_S, abs=0.001)


def test_a_prolonged_cue_ends_before_the_next() -> None:
    yes, no = spoken(["Yes!"], "Yes!", 0.2), spoken(["No."], "No.", 0.2, start_s=2.3)
    between = spoken(["Perhaps."], "Perhaps.", 0.2, start_s=2.6)
    cues = cues_of(yes, no, between)
    assert all(one[1] <= following[0] for one, following in itertools.pairwise(cues))


def test_a_word_longer_than_a_line_is_divided() -> None:
    word = "a" * 100
    lines = [line for _, _, lines in cues_of(spoken([word], word)) for line in lines]
    assert "".join(lines) == word
    assert max(map(len, lines)) <= LINE_CHARACTERS


words = st.text(st.characters(categories=["L"], include_characters="'"), min_size=1, max_size=20)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    segments, time_ms = [], 0
    for texts in draw(st.lists(st.lists(words, min_size=1, max_size=30), max_size=4)):
        spoken = []
        for text in texts:
            start_ms = time_ms + draw(st.integers(0, 1500))
            time_ms = start_ms + draw(st.integers(60, 1500))
            spoken.append(Word(Span(start_ms / 1000, time_ms / 1000), text, 0.5))
        hull = Span(spoken[0].span.start_s, spoken[-1].span.end_s)
        keeps_words = draw(st.booleans())
        segments.append(Segment(hull, " ".join(texts), 0.5, tuple(spoken) if keeps_words else ()))
    return Transcript(tuple(segments), "en")


@pytest.mark.parametrize("write", [write_srt, write_vtt])
@settings(max_examples=40, deadline=None)
@given(transcript=transcripts())
def test_what_is_written_can_be_read_and_is_readable(write, transcript) -> None:
    text = write(transcript)
    again = read_captions(text).segments if transcript.segments else ()
    assert [w for s in again for w in s.text.split()] == [
        w for s in transcript.segments for w in s.text.split()
    ]
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and "-->" not in line and not line.isdigit()]
        assert len(lines) <= 2
        assert all(len(line) <= LINE_CHARACTERS for line in lines)
    assert all(segment.span.duration_s <= CUE_S + 0.002 for segment in again)
    if again:
        assert again[0].span.start_s == pytest.approx(transcript.segments[0].span.start_s, abs=0.001)
        assert again[-1].span.end_s >= transcript.segments[-1].span.end_s - 0.001


def test_vtt_escapes_what_is_markup_there() -> None:
    transcript = Transcript((Segment(Span(0, 1), "1 < 2 && 3 > 2", 1.0),), "en")
    assert "1 &lt; 2 &amp;&amp; 3 &gt; 2" in write_vtt(transcript)
    assert read_captions(write_vtt(transcript)).segments[0].text == "1 < 2 && 3 > 2"
