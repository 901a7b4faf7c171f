"""JSON Schemas of the API's messages, in the JSON mapping of Protocol Buffers."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from etbgm_gateway.http.comments import comment_on

Schema = dict[str, Any]

_F = FieldDescriptor
_NUMBERS = (_F.TYPE_DOUBLE, _F.TYPE_FLOAT)
_SHORT = (_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32)
_LONG = (_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64)
_SCALARS: dict[int, Schema] = {
    **{kind: {"type": "number"} for kind in _NUMBERS},
    **{kind: {"type": "integer", "format": "int32"} for kind in _SHORT},
    **{kind: {"type": "string", "format": "int64", "pattern": r"^-?\d{1,18}$"} for kind in _LONG},
    _F.TYPE_BOOL: {"type": "boolean"},
    _F.TYPE_STRING: {"type": "string"},
    _F.TYPE_BYTES: {"type": "string", "format": "byte"},
}
_KNOWN: dict[str, Schema] = {
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?\d+(\.\d{1,9})?s$", "examples": ["5.5s"]},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.FieldMask": {"type": "string", "examples": ["style,mix.ambienceDb"]},
    "google.protobuf.Any": {"type": "object", "additionalProperties": True},
}


def components(messages: Iterable[Descriptor]) -> dict[str, Schema]:
    """Returns the schemas of the messages and of everything in them, by full name."""
    found: dict[str, Schema] = {}
    waiting: list[Descriptor | EnumDescriptor] = list(messages)
    while waiting:
        one = waiting.pop()
        if one.full_name in found or one.full_name in _KNOWN:
            continue
        if isinstance(one, EnumDescriptor):
            found[one.full_name] = _enum(one)
            continue
        if not one.GetOptions().map_entry:
            found[one.full_name] = _message(one)
        for field in one.fields:
            waiting += [kind for kind in (field.message_type, field.enum_type) if kind is not None]
    return dict(sorted(found.items()))


def reference(full_name: str) -> Schema:
    """Returns a reference to the schema of a message or enum."""
    return dict(_KNOWN.get(full_name) or {"$ref": f"#/components/schemas/{full_name}"})


def field_schema(field: FieldDescriptor) -> Schema:
    """Returns the schema of a field, with its comment."""
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        values = field_schema(entry.fields_by_name["value"])
        schema: Schema = {"type": "object", "additionalProperties": values}
    else:
        kind = field.message_type or field.enum_type
        schema = reference(kind.full_name) if kind else dict(_SCALARS[field.type])
        if field.is_repeated:
            schema = {"type": "array", "items": schema}
    if comment := comment_on(field.full_name):
        schema["description"] = comment
    if field.GetOptions().deprecated:
        schema["deprecated"] = True
    return schema


def _message(message: Descriptor) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {field.json_name: field_schema(field) for field in message.fields},
        "additionalProperties": False,
    }
    if comment := comment_on(message.full_name):
        schema["description"] = comment
    return schema


def _enum(enum: EnumDescriptor) -> Schema:
    lines = [f"- `{value.name}`: {comment_on(f'{enum.full_name}.{value.name}')}" for value in enum.values]
    return {
        "type": "string",
        "enum": [value.name for value in enum.values],
        "description": "\n".join([comment_on(enum.full_name), "", *lines]),
    }
