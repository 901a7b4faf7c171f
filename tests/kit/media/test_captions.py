"""Captions as people write them become what was said."""

import pytest

from etbgm_kit.errors import InvalidField
from etbgm_kit.media.captions import read_captions

SRT = """\ufeff1\r
00:00:01,000 --> 00:00:02,500 X1:40 X2:600 Y1:20 Y2:50\r
{\\an8}<i>Fish &amp; chips</i>,\r
<font color="#fff">please.</font>\r
\r
2\r
00:01:00,000 --> 00:01:02,000\r
- [door slams] WAITER: At once!\r
- (laughs\r
loudly) ♪ la la ♪\r
\r
3\r
00:01:03,000 --> 00:01:04,000\r
Table\r
42\r
"""

VTT = """WEBVTT - a title
Kind: captions

STYLE
::cue { color: lime }

NOTE this is
not spoken

intro
00:01.000 --> 00:02.000 align:start position:0%
<v Roger>Hello <c.loud>there</c></v>

01:00:03.500 --> 01:00:04.000
Bye&nbsp;now
"""

ROLLING = """WEBVTT

00:00:00.000 --> 00:00:02.000
so<00:00:00.500><c> today</c><00:00:01.000><c> we</c>

00:00:02.000 --> 00:00:02.010
so today we

00:00:02.010 --> 00:00:04.000
so today we
talk<00:00:03.000><c> about</c>

00:00:04.000 --> 00:00:04.010
talk about

00:00:04.010 --> 00:00:06.000
talk about
captions
"""


def said(text: str) -> list[tuple[float, float, str]]:
    segments = read_captions(text).segments
    return [(segment.span.start_s, segment.span.end_s, segment.text) for segment in segments]


def test_srt_without_markup_positions_sounds_and_speakers() -> None:
    assert said(SRT) == [(1, 2.5, "Fish & chips, please."), (60, 62, "At once!"), (63, 64, "Table 42")]


def test_vtt_without_styles_notes_names_and_voices() -> None:
    assert said(VTT) == [(1, 2, "Hello there"), (3603.5, 3604, "Bye now")]


def test_lines_that_roll_up_are_said_once() -> None:
    assert said(ROLLING) == [(0, 2, "so today we"), (2.01, 4, "talk about"), (4.01, 6, "captions")]


@pytest.mark.parametrize("text", ["", "\ufeff", "\r\n \n", "1\n00:00:01,000 --> 00:00:03,000\n\n\n"])
def test_blank_captions_say_nothing(text: str) -> None:
    assert said(text) == []


def test_empty_vtt_says_nothing() -> None:
    assert said("WEBVTT\n") == []


def cue(start: str, end: str, text: str) -> str:
    return f"1\n00:00:{start},000 --> 00:00:{end},000\n{text}\n\n"


def test_order_overlap_and_length() -> None:
    text = cue("09", "12", "last") + cue("01", "05", "one") + cue("03", "04", "two")
    text += cue("07", "07", "no time") + cue("01", "02", "also one")
    assert said(text) == [(1, 3, "also one one"), (3, 4, "two"), (9, 12, "last")]


def test_the_video_ends_the_captions() -> None:
    text = cue("01", "02", "in") + cue("03", "05", "across") + cue("04", "05", "out")
    segments = read_captions(text, "de", duration_s=4.0)
    assert [(s.span.end_s, s.text) for s in segments.segments] == [(2, "in"), (4, "across")]
    assert segments.language == "de"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Dear diary,\nnothing happened.", "neither SubRip nor WebVTT"),
        ("1\n00:00:01,000 --> soon\nHi\n", "line 2"),
        ("WEBVTT\n\n00:01.000 --> 00:02\nHi\n", "line 3"),
        (cue("01", "02", "fine") + cue("05", "03", "backwards"), "line 6 ends before"),
    ],
)
def test_malformed_captions_say_where(text: str, why: str) -> None:
    with pytest.raises(InvalidField, match=why) as caught:
        read_captions(text)
    assert caught.value.field == "captions"


def test_an_endless_caption_is_refused() -> None:
    with pytest.raises(InvalidField, match="more than 10,000 characters"):
        read_captions("1\n00:00:00,000 --> 00:00:01,000\n" + "[" * 8_000_000)
