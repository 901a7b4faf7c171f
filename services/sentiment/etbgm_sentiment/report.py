"""Prints tables of scores."""

import random
from collections.abc import Mapping, Sequence
from functools import partial

from rich.console import Console
from rich.table import Table

from etbgm_kit.types import Emotion
from etbgm_sentiment.classifier import Classifier
from etbgm_sentiment.evaluation import Method, classified, score_rows, score_timelines, unsmoothed
from etbgm_sentiment.goemotions import Row
from etbgm_sentiment.meld import Dialogue
from etbgm_sentiment.smoothing import rule, viterbi
from etbgm_sentiment.spoken import with_wrong_words, without_punctuation

WRONG_WORDS_SHARE = 0.25
"""Approximate share of words that recognition gets wrong in noise."""

_console = Console(soft_wrap=True)


def print_classifier(classifier: Classifier, name: str, rows: Sequence[Row]) -> None:
    """Prints scores on the rows as written, without punctuation, and with wrong words as well."""
    vocabulary = [word for row in rows for word in without_punctuation(row.text).split()]
    rng = random.Random(0)
    plain = [without_punctuation(row.text) for row in rows]
    wrong = [with_wrong_words(text, WRONG_WORDS_SHARE, vocabulary, rng) for text in plain]
    texts = {
        "as written": [row.text for row in rows],
        "no punctuation": plain,
        f"{WRONG_WORDS_SHARE:.0%} wrong words": wrong,
    }
    results = [score_rows(classifier, lines, rows) for lines in texts.values()]
    table = _table(f"{name}, {len(rows)} rows", "", *texts)
    table.add_row("macro-F1", *_numbers(*(scores.macro_f1 for scores in results)))
    table.add_row("accuracy", *_numbers(*(scores.accuracy for scores in results)))
    table.add_row("recall of neutral", *_numbers(*(scores.recall[Emotion.NEUTRAL] for scores in results)))
    for emotion in Emotion:
        table.add_row(f"F1 of {emotion}", *_numbers(*(scores.f1[emotion] for scores in results)))
    _console.print(table)


def print_timelines(
    classifier: Classifier,
    dialogues: Sequence[Dialogue],
    min_duration_s: float,
    switching_costs: Sequence[float],
) -> None:
    """Prints time-weighted scores of each method and of no smoothing."""
    cells = classified(classifier, dialogues)
    methods: dict[str, Method] = {
        "unsmoothed": unsmoothed,
        "rule": partial(rule, min_duration_s=min_duration_s),
    }
    for cost in switching_costs:
        methods[f"viterbi, cost {cost:g}"] = partial(
            viterbi, min_duration_s=min_duration_s, switching_cost=cost
        )
    table = _table(
        f"Timelines, {len(dialogues)} dialogues",
        "method",
        "macro-F1 over time",
        "accuracy over time",
        "switches/min",
    )
    for name, method in methods.items():
        scores = score_timelines(dialogues, cells, method)
        table.add_row(name, *_numbers(scores.macro_f1, scores.accuracy), f"{scores.switches_per_minute:.2f}")
    _console.print(table)


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """Prints one line for each fact."""
    table = _table(title, "fact", "value")
    for name, value in facts.items():
        table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    _console.print(table)


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _numbers(*values: float) -> list[str]:
    return [f"{value:.3f}" for value in values]
