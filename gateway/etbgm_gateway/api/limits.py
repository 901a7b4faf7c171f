"""Limits on the size of what a caller sends, checked before anything else reads it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from etbgm_kit.errors import InvalidField

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, line separators, and marks that change the direction of the text around them."""

_MOST_DURATION_S = 315_576_000_000
"""google/protobuf/duration.proto."""

_TEXT_SETTING, _LIST_SETTING = "ETBGM_MAX_TEXT_CHARS", "ETBGM_MAX_ELEMENTS"


@dataclass(frozen=True, slots=True)
class LongList:
    """The limit of one repeated field that may be longer than others, and the setting that changes it."""

    elements: int
    setting: str


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """`text_chars` limits each text, `elements` each repeated field without an entry in `longer`.

    `longer` has limits by the full name of the field.
    """

    text_chars: int
    elements: int
    longer: Mapping[str, LongList] = field(default_factory=dict)


def check_limits(message: Message, limits: RequestLimits, path: str = "") -> None:
    """Checks all texts and repeated fields of `message`, at any depth.

    Raises InvalidField (naming the field below `path` and the setting) for a text that is too long or
    contains control characters, and for a repeated field with too many elements.
    """
    for descriptor, value in message.ListFields():
        name = f"{path}.{descriptor.name}" if path else descriptor.name
        if descriptor.message_type and descriptor.message_type.GetOptions().map_entry:
            _check_length(descriptor, len(value), limits, name)
            _check_texts(value, limits, name)
        elif descriptor.is_repeated:
            _check_length(descriptor, len(value), limits, name)
            if descriptor.message_type or descriptor.type == FieldDescriptor.TYPE_STRING:
                for i, element in enumerate(value):
                    _check_one(descriptor, element, limits, f"{name}[{i}]")
        else:
            _check_one(descriptor, value, limits, name)


def _check_texts(texts: Mapping[str, str], limits: RequestLimits, name: str) -> None:
    for key, text in texts.items():
        check_text(key, name, limits.text_chars)
        check_text(text, f"{name}[{key}]", limits.text_chars)


def _check_one(descriptor: FieldDescriptor, value: object, limits: RequestLimits, name: str) -> None:
    if isinstance(value, Duration):
        _check_duration(value, name)
    elif isinstance(value, Message):
        if descriptor.message_type and not is_flat(descriptor.message_type.full_name):
            check_limits(value, limits, name)
    elif isinstance(value, str):
        check_text(value, name, limits.text_chars)


def check_text(value: str, name: str, most_chars: int) -> None:
    """Raises InvalidField if `value` has more than `most_chars` characters or a control character."""
    if len(value) > most_chars:
        raise InvalidField(name, f"has {len(value):,} characters, the limit is {most_chars:,}"
                           f" ({_TEXT_SETTING})")  # fmt: skip
    if found := _CONTROL.search(value):
        raise InvalidField(name, f"contains the control character U+{ord(found[0]):04X}")


def _check_duration(value: Duration, name: str) -> None:
    """Raises InvalidField unless the duration has the form that its definition prescribes."""
    is_whole = abs(value.seconds) <= _MOST_DURATION_S and abs(value.nanos) < 1_000_000_000
    if not is_whole or value.seconds * value.nanos < 0:
        raise InvalidField(name, "is not a duration: seconds or nanos are out of range, or differ in sign")


def _check_length(descriptor: FieldDescriptor, length: int, limits: RequestLimits, name: str) -> None:
    limit = limits.longer.get(descriptor.full_name, LongList(limits.elements, _LIST_SETTING))
    if length > limit.elements:
        raise InvalidField(
            name, f"must have at most {limit.elements:,} elements, has {length:,} ({limit.setting})"
        )


def is_flat(full_name: str) -> bool:
    """Whether messages of this type contain neither texts nor repeated fields; there may be thousands."""
    return full_name in ("google.protobuf.Duration", "etbgm.media.v1.Span", "etbgm.media.v1.EmotionScore")
