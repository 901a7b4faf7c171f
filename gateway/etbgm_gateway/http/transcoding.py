"""HTTP requests to messages of the API, and messages to JSON (the JSON mapping of Protocol Buffers)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from etbgm_gateway.http.routes import Route
from etbgm_kit.errors import InvalidField

Json = dict[str, Any]


def request_of(
    route: Route, path: Mapping[str, str], query: Iterable[tuple[str, str]], body: bytes, most_fields: int
) -> Message:
    """Returns the request of `route`. Raises InvalidField if it cannot be understood or has too many fields.

    Blocks for long if the body is long.

    Fields come from the path and the body, or without a body from the query, where nested fields are
    written as settings.style and repeated ones several times. Names may be in camelCase or snake_case.
    """
    fields = _object(body, most_fields) if route.has_body else {}
    for name, text in query:
        if route.has_body:
            raise InvalidField(name, "belongs in the body")
        _set(fields, route.rpc.input_type, name, text)
    message = GetMessageClass(route.rpc.input_type)()
    try:
        json_format.ParseDict({**fields, **path}, message)
    except json_format.ParseError as error:
        raise InvalidField("body" if route.has_body else "query", str(error)) from None
    return message


def json_of(message: Message) -> Json:
    """Returns the message as JSON, with all fields that cannot be absent."""
    found: Json = json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
    return found


def _object(body: bytes, most_fields: int) -> Json:
    # Each member and each object takes far more memory than its two characters.
    if body.count(b",") + body.count(b"{") > most_fields:
        raise InvalidField("body", f"has more than {most_fields:,} fields (ETBGM_MAX_FIELDS)")
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise InvalidField("body", "is not JSON") from None
    if not isinstance(fields, dict):
        raise InvalidField("body", "is not a JSON object")
    return fields


def _set(fields: Json, message: Descriptor, name: str, text: str) -> None:
    """Sets the field at the dotted path `name`."""
    *outer, last = name.split(".")
    for part in outer:
        field = _field(message, part, name)
        if field.message_type is None or field.is_repeated:
            raise InvalidField(name, "is not a field of the request")
        message, fields = field.message_type, fields.setdefault(field.name, {})
    field = _field(message, last, name)
    value = {"true": True, "false": False}.get(text, text) if _is_bool(field) else text
    if field.is_repeated:
        fields.setdefault(field.name, []).append(value)
    elif field.name in fields:
        raise InvalidField(name, "is given twice")
    else:
        fields[field.name] = value


def _field(message: Descriptor, name: str, whole: str) -> FieldDescriptor:
    field = message.fields_by_name.get(name) or message.fields_by_camelcase_name.get(name)
    if field is None:
        raise InvalidField(whole, "is not a field of the request")
    return field


def _is_bool(field: FieldDescriptor) -> bool:
    return bool(field.type == FieldDescriptor.TYPE_BOOL)
