"""What batches win: `python -m tests.sentiment.bench [MODEL_FOLDER]`, phrases a second.

All ways of one table run in turn, five times over, on the same phrases; the median counts.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table

from etbgm_kit.models.onnx import open_session
from etbgm_sentiment.batcher import Batcher, Ids, Limits
from etbgm_sentiment.model_folder import GRAPH, TOKENIZER, read_facts
from etbgm_sentiment.onnx_classifier import BATCHES, MODEL_FOLDER
from etbgm_sentiment.tokens import load_tokenizer, pad, tokenise
from etbgm_sentiment.types import Probabilities

CALLS, PHRASES_PER_CALL = 96, 6
"""Short videos: what a few seconds of speech give."""

IN_FLIGHT = 8
ROUNDS = 5
SIZES = (64, 128, 256, 512, 1024, 2048, 4096)
WORDS = ("happy", "sad", "we", "had", "no", "idea", "that", "she", "would", "leave", "so", "soon", "and", "I")

Call = Sequence[Ids]
Rates = npt.NDArray[np.float64]
"""Phrases a second, and phrases a second of processor time, (2,)."""

Graph = Callable[[Sequence[Ids]], Probabilities]


def open_graph(folder: Path, threads: int) -> Graph:
    """The model's graph as a function of token numbers."""
    session, pad_id = open_session(folder / GRAPH, threads), read_facts(folder).pad_id

    def run(texts: Sequence[Ids]) -> Probabilities:
        numbers, mask = pad(texts, pad_id)
        (rows,) = session.run(None, {"input_ids": numbers, "attention_mask": mask})
        return rows

    return run


def made_up_calls(folder: Path) -> list[Call]:
    """Phrases of 3 to 30 words, as transcripts have them: mostly short."""
    rng = random.Random(1)
    lengths = [min(30, 3 + int(rng.expovariate(1 / 7))) for _ in range(CALLS * PHRASES_PER_CALL)]
    tokenizer = load_tokenizer(folder / TOKENIZER, read_facts(folder).max_length)
    ids = tokenise(tokenizer, [" ".join(rng.choices(WORDS, k=length)) for length in lengths])
    return [ids[start : start + PHRASES_PER_CALL] for start in range(0, len(ids), PHRASES_PER_CALL)]


def in_order(graph: Graph, texts: Sequence[Ids], limits: Limits) -> None:
    """Batches of up to so many tokens, cut from the texts as they come."""
    batch: list[Ids] = []
    for ids in texts:
        if batch and max(len(ids), *map(len, batch)) * (len(batch) + 1) > limits.tokens:
            graph(batch)
            batch = []
        batch.append(ids)
    graph(batch)


def at_once(batcher: Batcher, calls: Iterable[Call]) -> None:
    """IN_FLIGHT callers at a time."""
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(batcher.classify, calls))


def measure(ways: dict[str, Callable[[], None]], phrases: int) -> dict[str, Rates]:
    """The rates of each way."""
    seconds: dict[str, list[Rates]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            begin = np.array([time.perf_counter(), time.process_time()])
            way()
            seconds[name].append(np.array([time.perf_counter(), time.process_time()]) - begin)
    return {name: phrases / np.median(times, 0) for name, times in seconds.items()}


def main(
    folder: Annotated[Path, typer.Argument(help="Model folder.")] = MODEL_FOLDER,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Prints both tables, by the time of day and by the processor's, which neighbours disturb less."""
    graph, calls = open_graph(folder, threads), made_up_calls(folder)
    texts = [ids for call in calls for ids in call]
    limits = BATCHES["cpu"]
    batcher = Batcher(graph, limits)
    padded = Batcher(graph, Limits(limits.tokens, 1.0))
    ways: dict[str, Callable[[], None]] = {
        "phrase by phrase": lambda: [graph([ids]) for ids in texts],
        "call by call, one batch each": lambda: [graph(call) for call in calls],
        f"{IN_FLIGHT} calls in flight, common batches by length": lambda: at_once(batcher, calls),
        f"{IN_FLIGHT} calls in flight, padded at will": lambda: at_once(padded, calls),
        "one long transcript, batches in order": lambda: in_order(graph, texts, limits),
        "one long transcript, batches by length": lambda: batcher.classify(texts),
    }
    show(f"{CALLS} calls of {PHRASES_PER_CALL} phrases", measure(ways, len(texts)))
    batchers = {size: Batcher(graph, Limits(size, limits.padding)) for size in SIZES}
    sizes = {f"{size} tokens": lambda one=one: one.classify(texts) for size, one in batchers.items()}
    show("one long transcript, by the size of a batch", measure(sizes, len(texts)))


def show(title: str, rates: dict[str, Rates]) -> None:
    table = Table("way", "phrases/s", "phrases per CPU second", title=title)
    for name, (by_day, by_processor) in rates.items():
        table.add_row(name, f"{by_day:.0f}", f"{by_processor:.0f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
