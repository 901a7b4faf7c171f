"""What programs that were compiled against the contract rely on, one line each.

When a version is released: `python -m tests.contract.surface > tests/contract/released/VERSION.txt`.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

PROTOS = Path(__file__).parents[2] / "protos"


@dataclass(frozen=True, order=True)
class Element:
    """A field, an enum's value or a method: how it is named, numbered (0: a method) and sent."""

    owner: str
    number: int
    name: str
    shape: str

    def __str__(self) -> str:
        return f"{self.owner} {self.number} {self.name} {self.shape}"

    @classmethod
    def of(cls, line: str) -> "Element":
        """The element that `str` wrote."""
        owner, number, name, shape = line.split(" ", 3)
        return cls(owner, int(number), name, shape)


def compiled() -> list[FileDescriptorProto]:
    """All files of the contract, with their comments."""
    names = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    names = [name for name in names if not name.startswith("third_party/")]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "all.binpb"
        options = [f"-I{PROTOS}", f"-I{PROTOS}/third_party", "--include_source_info"]
        command = [sys.executable, "-m", "grpc_tools.protoc", *options, f"--descriptor_set_out={output}"]
        subprocess.run([*command, *names], check=True)
        return list(FileDescriptorSet.FromString(output.read_bytes()).file)


def surface(files: Iterable[FileDescriptorProto]) -> Iterator[Element]:
    """Every element of `files`."""
    for file in files:
        for service in file.service:
            owner = f"{file.package}.{service.name}"
            yield from (Element(owner, 0, method.name, _call(method)) for method in service.method)
        yield from _values(file.package, file.enum_type)
        for name, message in _messages(file.package, file.message_type):
            yield from (Element(name, f.number, f.name, _type(f, message)) for f in message.field)
            yield from _values(name, message.enum_type)


def missing(released: Iterable[Element], files: list[FileDescriptorProto]) -> list[Element]:
    """What `released` had and `files` have not, or have otherwise.

    A field may go when its number and its name are reserved, so that neither comes back as something else.
    """
    gone = set(released) - set(surface(files))
    reserved = set()
    for file in files:
        for name, message in _messages(file.package, file.message_type):
            numbers = {n for span in message.reserved_range for n in range(span.start, span.end)}
            reserved |= {(name, number, word) for number in numbers for word in message.reserved_name}
    return sorted(
        element for element in gone if (element.owner, element.number, element.name) not in reserved
    )


def _messages(package: str, messages: Iterable[DescriptorProto]) -> Iterator[tuple[str, DescriptorProto]]:
    for message in messages:
        yield f"{package}.{message.name}", message
        yield from _messages(f"{package}.{message.name}", message.nested_type)


def _values(scope: str, enums: Iterable[EnumDescriptorProto]) -> Iterator[Element]:
    for enum in enums:
        yield from (Element(f"{scope}.{enum.name}", v.number, v.name, "value") for v in enum.value)


def _type(field: FieldDescriptorProto, message: DescriptorProto) -> str:
    words = [FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()]
    words += [field.type_name.removeprefix(".")] if field.type_name else []
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        words.insert(0, "repeated")
    if field.proto3_optional:
        words.insert(0, "optional")
    elif field.HasField("oneof_index"):
        words.append(f"in {message.oneof_decl[field.oneof_index].name}")
    return " ".join(words)


def _call(method: MethodDescriptorProto) -> str:
    def side(streams: bool, message: str) -> str:
        return f"{'stream ' if streams else ''}{message.removeprefix('.')}"

    asked = side(method.client_streaming, method.input_type)
    return f"takes {asked} returns {side(method.server_streaming, method.output_type)}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{element}\n" for element in sorted(surface(compiled())))
