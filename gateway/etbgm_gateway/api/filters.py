"""Reads filters (AIP-160) and orders (AIP-132) of lists of jobs.

Supported: comparisons of the fields in FIELDS and of labels by = != < <= > >=, "*" as a wildcard in texts,
FIELD:* and labels:KEY for whether something is set, AND, OR, NOT, "-", and parentheses. OR binds more
closely than AND, and two comparisons without a word between them mean AND, as the standard has it. Not
supported: texts without a field, functions, and comparing two fields.
"""

import re
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, NoReturn

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.api.validation import is_label_key
from etbgm_gateway.store import queries
from etbgm_gateway.store.queries import Comparison, Condition, Either, Every, Not, Order
from etbgm_kit.errors import InvalidField

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

FIELDS = (queries.STATE, *queries.TEXTS, *queries.NUMBERS, *queries.TIMES)

_MOST_COMPARISONS, _MOST_DEPTH, _MOST_ORDERS = 50, 10, 5
_LABEL = "labels."
_STATES = [name.removeprefix("STATE_") for name in gateway_pb2.State.keys()[1:]]
_GRAMMAR = r"""
    start: [expression]
    expression: sequence ("AND" sequence)*
    sequence: factor+
    factor: term ("OR" term)*
    ?term: "NOT" simple -> negated
         | "-" simple -> negated
         | simple
    ?simple: restriction | "(" expression ")"
    restriction: WORD [COMPARATOR argument]
               | STRING
    argument: WORD | STRING | "-" WORD -> negative
    COMPARATOR: "<=" | ">=" | "!=" | "<" | ">" | "=" | ":"
    WORD.-1: /[^\s()"',=<>!:-][^\s()"',=<>!:]*/
    STRING: /"(\\.|[^"\\])*"/ | /'(\\.|[^'\\])*'/
    %ignore /\s+/
"""


def condition_of(text: str, field: str = "filter") -> Condition:
    """Returns the condition that a filter states. Raises InvalidField (naming `field`)."""
    from lark import UnexpectedInput

    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        place = f"it goes wrong at character {error.column}"
        raise InvalidField(field, f"is not a filter as in AIP-160: {place}") from None
    reading = _Reading(field)
    if tree.children[0] is None:
        return Every(())
    return reading.condition(tree.children[0], 0)  # type: ignore[arg-type]


def orders_of(text: str, field: str = "order_by") -> tuple[Order, ...]:
    """Returns the orders in text such as "priority desc, create_time". Raises InvalidField."""
    orders: list[Order] = []
    for part in text.split(",") if text.strip() else ():
        found = re.fullmatch(r"\s*([a-z_]+)(\s+(asc|desc))?\s*", part)
        if not found or found[1] not in queries.SORTABLE:
            known = ", ".join(queries.SORTABLE)
            raise InvalidField(field, f"must have names of {known}, each with asc or desc, or neither")
        if any(order.field == found[1] for order in orders):
            raise InvalidField(field, f"names {found[1]} twice")
        orders.append(Order(found[1], found[3] == "desc"))
    return tuple(orders)


@cache
def _parser() -> "Lark":
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=True)


class _Reading:
    """Converts one filter."""

    def __init__(self, field: str) -> None:
        self._field, self._comparisons = field, 0

    def condition(self, tree: "Tree[Token]", depth: int) -> Condition:
        if depth > 4 * _MOST_DEPTH:  # four rules for each pair of parentheses
            self._refuse(f"has more than {_MOST_DEPTH} levels of parentheses")
        if tree.data == "restriction":
            return self._comparison(tree)
        parts = [self.condition(part, depth + 1) for part in tree.children]  # type: ignore[arg-type]
        if tree.data == "negated":
            return Not(parts[0])
        if len(parts) == 1:
            return parts[0]
        return Either(parts) if tree.data == "factor" else Every(parts)

    def _comparison(self, tree: "Tree[Token]") -> Condition:
        self._comparisons += 1
        if self._comparisons > _MOST_COMPARISONS:
            self._refuse(f"has more than {_MOST_COMPARISONS} comparisons")
        if len(tree.children) < 3 or tree.children[1] is None:
            self._refuse(f"must compare a field, not only name {tree.children[0]}")
        name, operator, argument = tree.children
        text = _text_of(argument)  # type: ignore[arg-type]
        return self._compared(str(name), str(operator), text)

    def _compared(self, name: str, operator: str, text: str) -> Comparison:
        if name == "labels" and operator == ":":
            return Comparison("labels", ":", "", self._label(text))
        if name.startswith(_LABEL):
            if operator == ":" and text != "*":
                operator = "="
            return Comparison("labels", operator, text, self._label(name.removeprefix(_LABEL)))
        if name not in FIELDS:
            self._refuse(f"names {name}; known are {', '.join(FIELDS)} and labels.KEY")
        if operator == ":" and text != "*":
            self._refuse(f'must ask whether {name} is set by "{name}:*"')
        return Comparison(name, operator, self._value(name, text) if operator != ":" else "")

    def _label(self, key: str) -> str:
        if not is_label_key(key):
            self._refuse(f"names {key}, which cannot be the key of a label")
        return key

    def _value(self, name: str, text: str) -> str | float:
        if name in queries.NUMBERS:
            return self._number(name, text)
        if name in queries.TIMES:
            return self._time(name, text)
        if name == queries.STATE:
            state = text.removeprefix("STATE_")
            if state not in _STATES:
                self._refuse(f"compares state with {text}; it can be {', '.join(_STATES)}")
            return state
        return text

    def _number(self, name: str, text: str) -> float:
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            self._refuse(f"compares {name} with {text}, which is not a whole number")
        return float(text)

    def _time(self, name: str, text: str) -> float:
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            time = None
        if time is None or time.tzinfo is None:
            self._refuse(f'compares {name} with {text}, not with a time such as "2026-01-31T08:00:00Z"')
        return time.timestamp()

    def _refuse(self, why: str) -> NoReturn:
        raise InvalidField(self._field, why)


def _text_of(argument: "Tree[Token]") -> str:
    text = str(argument.children[0])
    if argument.data == "negative":
        return f"-{text}"
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] in "\"'" else text
