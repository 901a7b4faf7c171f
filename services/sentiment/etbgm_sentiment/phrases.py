"""Splits a transcript into phrases: sense units long enough to carry an emotion.

Some recognisers write no punctuation and cut at pauses; captions have punctuation
but break lines inside sentences. Phrases therefore end at sentence ends, at pauses and, in
a transcript without punctuation, at segment ends. Phrases that are too long are cut at
their longest pause, and tiny ones join a neighbour.
"""

import itertools
from collections.abc import Iterator

from etbgm_kit.types import Segment, Span, Transcript
from etbgm_sentiment.types import Phrase

PAUSE_S = 0.7
"""Shortest pause that ends a phrase; words within a phrase follow each other faster."""

MAX_DURATION_S = 12.0
"""Longer phrases are cut, because the emotion may change within them."""

MAX_WORDS = 32
"""Longer phrases are cut, because the classifier was trained on comments of at most 33 words."""

MIN_WORDS = 3
"""Shorter phrases join a neighbour, because "well" and "and I" carry no emotion."""

BRIDGE_S = 1.5
"""Tiny phrases join neighbours that are closer than this."""

PUNCTUATED_SHARE = 0.25
"""Share of segments ending a sentence at which a transcript counts as punctuated."""

_SENTENCE_ENDS = (".", "!", "?", "…")
_CLOSERS = "\"'”’)]»"
_ABBREVIATIONS = frozenset({"mr.", "mrs.", "ms.", "dr.", "st.", "vs.", "etc.", "e.g.", "i.e."})

Timed = tuple[Span, str]
"""A word and its span."""

Run = list[Timed]
"""Words in order, at least one."""


def phrases(transcript: Transcript) -> tuple[Phrase, ...]:
    """Returns the phrases of `transcript` in order, without overlap; every word is in exactly one."""
    segments = [words for segment in transcript.segments if (words := _timed_words(segment))]
    enders = sum(_ends_sentence(words[-1]) for words in segments)
    punctuated = enders >= PUNCTUATED_SHARE * len(segments)
    runs = [short for run in _runs(segments, punctuated) for short in _shortened(run)]
    return tuple(_phrase(run) for run in _joined(runs))


def _timed_words(segment: Segment) -> Run:
    """Returns the segment's words; those of a caption share its time in proportion to their length."""
    if segment.words:
        return [(word.span, word.text) for word in segment.words]
    texts = segment.text.split()
    edges = list(itertools.accumulate((len(text) + 1 for text in texts), initial=0))
    scale = segment.span.duration_s / edges[-1] if texts else 0.0
    times_s = [segment.span.start_s + scale * edge for edge in edges[:-1]] + [segment.span.end_s]
    return [(Span(*pair), text) for pair, text in zip(itertools.pairwise(times_s), texts, strict=True)]


def _runs(segments: list[Run], punctuated: bool) -> Iterator[Run]:
    run: Run = []
    for words in segments:
        for i, word in enumerate(words):
            if run and (_cuts(run[-1], word) or (i == 0 and not punctuated)):
                yield run
                run = []
            run.append(word)
    if run:
        yield run


def _cuts(before: Timed, after: Timed) -> bool:
    return _ends_sentence(before) or _gap_s(before, after) >= PAUSE_S


def _ends_sentence(word: Timed) -> bool:
    text = word[1].rstrip(_CLOSERS)
    return text.endswith(_SENTENCE_ENDS) and text.lower() not in _ABBREVIATIONS


def _gap_s(before: Timed, after: Timed) -> float:
    return after[0].start_s - before[0].end_s


def _shortened(run: Run) -> Iterator[Run]:
    """Cuts off runs that are short enough, each at the longest pause of its second half.

    Among equal pauses, cuts after a comma if possible, otherwise as late as possible.
    """
    while _too_long(run):
        fitting = sum(word[0].end_s - run[0][0].start_s <= MAX_DURATION_S for word in run[:MAX_WORDS])
        latest = max(1, min(fitting, len(run) - MIN_WORDS))
        cut = max(range(-(-latest // 2), latest + 1), key=lambda i: _cut_quality(run, i))
        yield run[:cut]
        run = run[cut:]
    yield run


def _cut_quality(run: Run, cut: int) -> tuple[float, bool, int]:
    before, after = run[cut - 1], run[cut]
    return round(_gap_s(before, after), 2), before[1].endswith((",", ";", ":")), cut


def _too_long(run: Run) -> bool:
    """Whether the run must be cut; a single word cannot be cut, however long it is."""
    return len(run) > MAX_WORDS or (len(run) > 1 and run[-1][0].end_s - run[0][0].start_s > MAX_DURATION_S)


def _joined(runs: list[Run]) -> list[Run]:
    """Joins tiny runs to the nearer neighbour, or to the one before if both are equally near."""
    joined: list[Run] = []
    waiting: Run = []
    for i, run in enumerate(runs):
        current = waiting + run
        waiting = []
        before_s = _distance_s(joined[-1], current) if joined else BRIDGE_S
        after_s = _distance_s(current, runs[i + 1]) if i + 1 < len(runs) else BRIDGE_S
        if len(current) >= MIN_WORDS or min(before_s, after_s) >= BRIDGE_S:
            joined.append(current)
        elif before_s <= after_s:
            joined[-1] = joined[-1] + current
        else:
            waiting = current
    return joined


def _distance_s(before: Run, after: Run) -> float:
    """Returns the pause between the runs; BRIDGE_S if the joined phrase would be too long."""
    return BRIDGE_S if _too_long(before + after) else _gap_s(before[-1], after[0])


def _phrase(run: Run) -> Phrase:
    return Phrase(Span(run[0][0].start_s, run[-1][0].end_s), " ".join(text for _, text in run))
