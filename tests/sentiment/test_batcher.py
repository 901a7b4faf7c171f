"""Common batches of many calls: each gets its own rows, in batches of similar length."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from etbgm_sentiment.batcher import Batcher, Ids, Limits
from etbgm_sentiment.types import Probabilities


class Graph:
    """Answers each text with its first number and its length, and remembers the batches' lengths."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = threading.Event()
        self.open.set()
        self.began = threading.Event()

    def __call__(self, texts: Sequence[Ids]) -> Probabilities:
        self.began.set()
        assert self.open.wait(10)
        self.batches.append([len(ids) for ids in texts])
        rows = np.zeros((len(texts), 7), np.float32)
        rows[:, 0] = [ids[0] for ids in texts]
        rows[:, 1] = [len(ids) for ids in texts]
        return rows


class Unlucky(Graph):
    """Fails with every batch that has a 13."""

    def __call__(self, texts: Sequence[Ids]) -> Probabilities:
        rows = super().__call__(texts)
        if any(ids[0] == 13 for ids in texts):
            raise RuntimeError("unlucky")
        return rows


def texts_of(number: int, lengths: Sequence[int]) -> list[list[int]]:
    return [[number] * length for length in lengths]


def check(rows: Probabilities, number: int, lengths: Sequence[int]) -> None:
    assert rows[:, 0].tolist() == [number] * len(lengths)
    assert rows[:, 1].tolist() == list(lengths)


@pytest.mark.parametrize(
    ("limits", "batches"),
    [
        (Limits(20, 1.0), [[2, 2, 2, 4], [5, 9], [30]]),
        (Limits(20, 0.2), [[2, 2, 2], [4, 5], [9], [30]]),
        (Limits(1000, 1.0), [[2, 2, 2, 4, 5, 9, 30]]),
        (Limits(1000, 0.0), [[2, 2, 2], [4], [5], [9], [30]]),
    ],
)
def test_one_call_is_cut_into_batches_of_similar_length(limits: Limits, batches: list[list[int]]) -> None:
    graph = Graph()
    lengths = [9, 2, 5, 2, 30, 4, 2]
    check(Batcher(graph, limits).classify(texts_of(7, lengths)), 7, lengths)
    assert graph.batches == batches


def test_no_texts_are_no_work() -> None:
    graph = Graph()
    assert Batcher(graph, Limits(20, 1)).classify([]).shape == (0, 7)
    assert not graph.batches


def test_calls_that_come_while_a_batch_runs_share_the_next_ones() -> None:
    graph = Graph()
    graph.open.clear()
    batcher = Batcher(graph, Limits(64, 0.5))
    lengths = [[3], *([4, 20, 4, 20] for _ in range(4))]
    with ThreadPoolExecutor(len(lengths)) as pool:
        calls = [pool.submit(batcher.classify, texts_of(0, lengths[0]))]
        assert graph.began.wait(10)
        calls += [pool.submit(batcher.classify, texts_of(i, lengths[i])) for i in range(1, len(lengths))]
        while len(batcher) < 16:
            threading.Event().wait(0.01)
        graph.open.set()
        for number, call in enumerate(calls):
            check(call.result(10), number, lengths[number])
    assert graph.batches == [[3], [4] * 8, [20] * 3, [20] * 3, [20] * 2]


def test_a_row_that_comes_late_does_not_wait_for_ever() -> None:
    """New short rows come with every batch, and the long one is reached all the same."""
    graph = Graph()
    batcher = Batcher(graph, Limits(8, 1))
    done = threading.Event()

    def short_ones() -> None:
        while not done.is_set():
            batcher.classify(texts_of(1, [2] * 8))

    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(short_ones) for _ in range(3)]
        try:
            check(batcher.classify(texts_of(5, [8])), 5, [8])
        finally:
            done.set()
        for other in others:
            other.result(10)


def test_an_error_reaches_the_calls_of_the_batch_and_no_others() -> None:
    def graph(texts: Sequence[Ids]) -> Probabilities:
        if any(ids[0] == 13 for ids in texts):
            raise MemoryError("no room")
        return np.zeros((len(texts), 7), np.float32)

    batcher = Batcher(graph, Limits(8, 1))
    with pytest.raises(MemoryError, match="no room"):
        batcher.classify([[13] * 2, [1] * 8, [1] * 8])
    assert batcher.classify([[1] * 4]).shape == (1, 7)
    assert len(batcher) == 0


def test_after_an_error_nobody_is_left_waiting() -> None:
    graph = Unlucky()
    graph.open.clear()

    batcher = Batcher(graph, Limits(8, 1))
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batcher.classify, texts_of(13, [8, 8]))
        assert graph.began.wait(10)
        shares = pool.submit(batcher.classify, texts_of(13, [2, 8]))
        other = pool.submit(batcher.classify, texts_of(5, [4, 8]))
        while len(batcher) < 5:
            threading.Event().wait(0.01)
        graph.open.set()
        for call in (first, shares):
            with pytest.raises(RuntimeError, match="unlucky"):
                call.result(10)
        check(other.result(10), 5, [4, 8])
    assert not len(batcher)


def test_a_call_that_shares_a_batch_with_one_that_fails_has_its_rows() -> None:
    graph = Unlucky()
    graph.open.clear()

    batcher = Batcher(graph, Limits(64, 1))
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batcher.classify, texts_of(1, [3]))
        assert graph.began.wait(10)
        unlucky = pool.submit(batcher.classify, texts_of(13, [4, 4]))
        other = pool.submit(batcher.classify, texts_of(5, [4, 4, 4]))
        while len(batcher) < 5:
            threading.Event().wait(0.01)
        graph.open.set()
        with pytest.raises(RuntimeError, match="unlucky"):
            unlucky.result(10)
        check(other.result(10), 5, [4, 4, 4])
        check(first.result(10), 1, [3])
    assert graph.batches[:2] == [[3], [4] * 5]
    assert not len(batcher)
