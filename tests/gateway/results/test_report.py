"""The report of a result."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etbgm_gateway.results.report import boundary_error_s

times_s = st.lists(st.floats(0, 1000), max_size=20)


@given(times_s, times_s)
def test_the_boundary_that_is_missed_most_counts(sections_s: list[float], boundaries_s: list[float]) -> None:
    misses_s = [min(abs(at - boundary) for at in sections_s) for boundary in boundaries_s if sections_s]
    assert boundary_error_s(sections_s, boundaries_s) == pytest.approx(max(misses_s, default=0.0))


def test_a_long_timeline_takes_linear_time() -> None:
    sections_s = [i + 0.25 for i in range(100_000)]
    started = time.process_time()
    assert boundary_error_s(sections_s, range(100_000)) == 0.25
    assert time.process_time() - started < 2
