"""Conditions and orders of lists of jobs, as values and as SQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import sqlalchemy as sa

from etbgm_gateway.store.jobs import JOBS

_C = JOBS.c
TEXTS = {"job_id": _C.job_id, "request_id": _C.caller_request_id, "parent_job_id": _C.parent_job_id}
NUMBERS = {"priority": _C.priority}
TIMES = {"create_time": _C.create_time_s, "start_time": _C.start_time_s, "end_time": _C.end_time_s}
STATE = "state"
SORTABLE = {**TIMES, **NUMBERS, STATE: _C.state}
"""Columns by the names of their fields."""

Clause = sa.ColumnElement[bool]
_COMPARE: dict[str, Callable[[Any, Any], Clause]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field, or one label if `field` is "labels", compared with a value of its type.

    The operator ":" asks whether the field is set. In the texts of "=" and "!=", "*" stands for anything.
    """

    field: str
    operator: str
    value: str | float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Every:
    """All of some conditions; true without any."""

    parts: Sequence["Condition"]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of some conditions."""

    parts: Sequence["Condition"]


Condition = Comparison | Not | Every | Either


@dataclass(frozen=True, slots=True)
class Order:
    """Jobs by one of SORTABLE."""

    field: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Which jobs of a list to read: those that fulfil `condition`, by `orders` and then newest first.

    `after` has the sort keys of the last job of the previous page, and its id, None on the first page.
    """

    condition: Condition
    orders: Sequence[Order]
    size: int
    after: tuple[Sequence[str | float], str] | None = None


def clause_of(condition: Condition) -> Clause:
    """Returns the SQL of a condition; it is never NULL."""
    match condition:
        case Not(part):
            return sa.not_(clause_of(part))
        case Every(parts):
            return sa.and_(sa.true(), *map(clause_of, parts))
        case Either(parts):
            return sa.or_(sa.false(), *map(clause_of, parts))
        case Comparison():
            return _compared(condition)


def sort_keys() -> tuple[sa.ColumnElement[Any], ...]:
    """Returns the columns of SORTABLE, in its order, without NULL."""
    return tuple(_key(name) for name in SORTABLE)


def ordered(page: Page) -> tuple[Sequence[sa.ColumnElement[Any]], Clause]:
    """Returns the sort order of a page, and the condition that a job comes after the previous page."""
    columns = [(_key(order.field), order.descending) for order in page.orders]
    columns.append((_C.job_id, True))
    terms = [column.desc() if descending else column.asc() for column, descending in columns]
    if page.after is None:
        return terms, sa.true()
    values, job_id = page.after
    later: Clause = sa.false()
    for (column, descending), value in reversed(list(zip(columns, [*values, job_id], strict=True))):
        beyond = column < value if descending else column > value
        later = sa.or_(beyond, sa.and_(column == value, later))
    return terms, later


def _key(name: str) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(SORTABLE[name], "" if name == STATE else 0)


def _compared(one: Comparison) -> Clause:
    compare = _COMPARE.get(one.operator)
    column = _column(one)
    if compare is None:
        return column.is_not(None)
    if one.field in TIMES:
        return sa.and_(column.is_not(None), compare(column, one.value))
    if isinstance(one.value, float):
        return compare(column, one.value)
    column = sa.func.coalesce(column, "")
    if _ANY in one.value and one.operator in ("=", "!="):
        like = column.like(_pattern(one.value), escape="\\")
        return like if one.operator == "=" else sa.not_(like)
    return compare(column, one.value)


def _column(one: Comparison) -> sa.ColumnElement[Any]:
    return _C.labels[one.label].as_string() if one.field == "labels" else {**TEXTS, **SORTABLE}[one.field]


def _pattern(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return text.replace(_ANY, "%")
