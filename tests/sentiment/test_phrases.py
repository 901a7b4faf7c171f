"""Phrases: where a transcript is cut and what is joined again."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etbgm_kit.types import Segment, Span, Transcript, Word
from etbgm_sentiment.phrases import MAX_DURATION_S, MAX_WORDS, MIN_WORDS, phrases


def recognised(*runs: str, pause_s: float = 1.0, word_s: float = 0.3, inner_s: float = 0.05) -> Transcript:
    """Segments of words with times, `pause_s` apart, as some recognisers give them."""
    segments, clock_s = [], 0.0
    for run in runs:
        words = []
        for text in run.split():
            words.append(Word(Span(clock_s, clock_s + word_s), text, 0.9))
            clock_s += word_s + inner_s
        segments.append(Segment(Span(words[0].span.start_s, words[-1].span.end_s), run, 0.9, tuple(words)))
        clock_s += pause_s
    return Transcript(tuple(segments), "en")


def captions(*lines: tuple[float, float, str]) -> Transcript:
    return Transcript(tuple(Segment(Span(start, end), text, 1.0) for start, end, text in lines), "en")


def texts(transcript: Transcript) -> list[str]:
    return [phrase.text for phrase in phrases(transcript)]


def test_a_recogniser_without_punctuation_is_cut_where_it_pauses() -> None:
    transcript = recognised("i am so glad you came", "it was awful to wait", pause_s=0.2)
    assert texts(transcript) == ["i am so glad you came", "it was awful to wait"]


def test_a_pause_inside_a_segment_cuts_it() -> None:
    words = [Word(Span(i, i + 0.8), f"w{i}", 1.0) for i in range(4)]
    words += [Word(Span(i + 1, i + 1.8), f"w{i}", 1.0) for i in range(4, 8)]
    segment = Segment(Span(0, 8.8), "", 1.0, tuple(words))
    assert texts(Transcript((segment,), "en")) == ["w0 w1 w2 w3", "w4 w5 w6 w7"]


def test_captions_are_cut_at_sentences_and_joined_across_lines() -> None:
    transcript = captions(
        (0.0, 2.0, "I walked home through the rain"),
        (2.1, 4.0, "and I was happy. Then the phone rang."),
        (4.1, 6.0, "It was Mr. Smith from the bank!"),
    )
    assert texts(transcript) == [
        "I walked home through the rain and I was happy.",
        "Then the phone rang.",
        "It was Mr. Smith from the bank!",
    ]


def test_a_captions_time_is_shared_by_length() -> None:
    first, second = phrases(captions((10.0, 20.0, "aaa bbb ccc. ddd eee fff.")))
    assert first.span.start_s == 10
    assert first.span.end_s == second.span.start_s == pytest.approx(15, abs=0.5)
    assert second.span.end_s == 20


def test_tiny_phrases_join_the_nearer_neighbour() -> None:
    transcript = captions(
        (0.0, 2.0, "We finally won the game."), (2.1, 2.5, "Yes!"), (3.5, 5.0, "What will you do now?")
    )
    assert texts(transcript) == ["We finally won the game. Yes!", "What will you do now?"]


def test_a_tiny_phrase_far_from_all_others_stays_alone() -> None:
    assert texts(recognised("help", "nobody came to the house", pause_s=5)) == [
        "help",
        "nobody came to the house",
    ]


def test_long_speech_is_cut_at_its_longest_pause() -> None:
    words = [Word(Span(0.4 * i, 0.4 * i + 0.35), f"w{i}", 1.0) for i in range(24)]
    words += [Word(Span(0.4 * i + 0.3, 0.4 * i + 0.65), f"w{i}", 1.0) for i in range(24, 50)]
    parts = phrases(Transcript((Segment(Span(0, 20.6), "", 1.0, tuple(words)),), "en"))
    assert parts[0].text.split()[-1] == "w23"
    assert all(len(part.text.split()) <= MAX_WORDS for part in parts)


def test_nothing_said_gives_no_phrases() -> None:
    assert phrases(Transcript((), "en")) == ()
    assert phrases(captions((0.0, 2.0, "  "))) == ()


@given(st.integers(0, 2**32), st.booleans())
def test_every_word_is_in_exactly_one_phrase_and_phrases_keep_the_order(seed: int, with_times: bool) -> None:
    rng = random.Random(seed)
    clock_s, segments = 0.0, []
    for _ in range(rng.randrange(8)):
        start_s, words = clock_s, []
        for _ in range(rng.choice([1, 2, 5, 20, 90])):
            end_s = clock_s + rng.choice([0.0, 0.2, 0.5])
            words.append(Word(Span(clock_s, end_s), rng.choice(["go", "so,", "no.", "why?"]), 1.0))
            clock_s = end_s + rng.choice([0, 0, 0.1, 0.9])
        text = " ".join(word.text for word in words)
        known = tuple(words) if with_times else ()
        segments.append(Segment(Span(start_s, words[-1].span.end_s), text, 1.0, known))
    parts = phrases(Transcript(tuple(segments), "en"))
    assert " ".join(part.text for part in parts) == " ".join(segment.text for segment in segments)
    for one, after in itertools.pairwise(parts):
        assert one.span.start_s <= one.span.end_s <= after.span.start_s
    for part in parts:
        short = part.span.duration_s <= MAX_DURATION_S + 1e-6
        assert (short and len(part.text.split()) <= MAX_WORDS) or len(part.text.split()) <= MIN_WORDS
