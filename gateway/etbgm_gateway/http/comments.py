"""The contract's comments, from the descriptors that protos/generate.py writes with them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

from etbgm.gateway.v1 import gateway_pb2

_DESCRIPTORS = Path(gateway_pb2.__file__).with_name("descriptors.bin")

_LISTS = {
    FileDescriptorProto: {4: "message_type", 5: "enum_type", 6: "service"},
    DescriptorProto: {2: "field", 3: "nested_type", 4: "enum_type", 8: "oneof_decl"},
    EnumDescriptorProto: {2: "value"},
    ServiceDescriptorProto: {2: "method"},
}
"""Field numbers of descriptor.proto that lead to named elements."""


def comment_on(full_name: str) -> str:
    """Returns the comment on an element of the contract, such as "etbgm.gateway.v1.Job.state", or ""."""
    return _comments().get(full_name, "")


@cache
def _comments() -> dict[str, str]:
    described = FileDescriptorSet.FromString(_DESCRIPTORS.read_bytes())
    return dict(found for file in described.file for found in _comments_in(file))


def _comments_in(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    for location in file.source_code_info.location:
        if location.leading_comments and (name := _name_at(file, list(location.path))):
            yield f"{file.package}.{name}", " ".join(location.leading_comments.split())


def _name_at(file: FileDescriptorProto, path: list[int]) -> str:
    """Returns the dotted name of the element at a path of descriptor.proto; "" if it has no name."""
    element: Any = file
    names: list[str] = []
    for number, index in zip(path[::2], path[1::2], strict=False):
        name = _LISTS.get(type(element), {}).get(number)
        if name is None:
            return ""
        element = getattr(element, name)[index]
        names.append(element.name)
    return ".".join(names) if len(path) % 2 == 0 else ""
