"""Programs compiled against a released contract go on working with today's."""

from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from tests.contract.surface import Element, compiled, missing, surface

pytestmark = pytest.mark.process

RELEASED = sorted((Path(__file__).parent / "released").glob("*.txt"))

Change = Callable[[FileDescriptorProto], object]


@pytest.fixture(scope="module")
def files() -> list[FileDescriptorProto]:
    return compiled()


@pytest.mark.parametrize("version", RELEASED, ids=lambda path: path.stem)
def test_what_was_released_is_still_there(version: Path, files: list[FileDescriptorProto]) -> None:
    released = [Element.of(line) for line in version.read_text().splitlines()]
    assert len(released) > 200
    assert [str(element) for element in missing(released, files)] == []


def changed(files: list[FileDescriptorProto], change: Change) -> list[str]:
    """What a change to gateway.proto would break."""
    before = set(surface(files))
    after = [FileDescriptorProto.FromString(file.SerializeToString()) for file in files]
    change(next(file for file in after if file.name == "etbgm/gateway/v1/gateway.proto"))
    return [f"{element.owner.rpartition('.')[2]}.{element.name}" for element in missing(before, after)]


def job(file: FileDescriptorProto) -> FieldDescriptorProto:
    """The first field of the message Job."""
    return next(message for message in file.message_type if message.name == "Job").field[0]


def move_into_oneof(file: FileDescriptorProto) -> None:
    next(message for message in file.message_type if message.name == "Job").oneof_decl.add(name="one")
    job(file).oneof_index = 0


BREAKING: dict[str, Change] = {
    "renumbered": lambda file: setattr(job(file), "number", 999),
    "renamed": lambda file: setattr(job(file), "name", "other"),
    "retyped": lambda file: setattr(job(file), "type", FieldDescriptorProto.TYPE_INT64),
    "repeated": lambda file: setattr(job(file), "label", FieldDescriptorProto.LABEL_REPEATED),
    "in a oneof": move_into_oneof,
    "streamed": lambda file: setattr(file.service[0].method[1], "server_streaming", True),
    "enum renumbered": lambda file: setattr(file.enum_type[0].value[1], "number", 99),
}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING)
def test_a_breaking_change_is_seen(change: Change, files: list[FileDescriptorProto]) -> None:
    assert len(changed(files, change)) == 1


def test_a_field_may_go_when_its_number_and_name_are_reserved(files: list[FileDescriptorProto]) -> None:
    def take_out(file: FileDescriptorProto) -> None:
        message = next(message for message in file.message_type if message.name == "Job")
        number = message.field[0].number
        del message.field[0]
        message.reserved_range.add(start=number, end=number + 1)

    def retire(file: FileDescriptorProto) -> None:
        name = job(file).name
        take_out(file)
        next(message for message in file.message_type if message.name == "Job").reserved_name.append(name)

    assert changed(files, take_out) == ["Job.job_id"]
    assert changed(files, retire) == []


def test_more_may_be_added(files: list[FileDescriptorProto]) -> None:
    def add(file: FileDescriptorProto) -> None:
        file.message_type.add(name="New").field.add(name="new", number=1, type=FieldDescriptorProto.TYPE_BOOL)
        file.message_type[0].field.add(name="new", number=999, type=FieldDescriptorProto.TYPE_BOOL)
        file.enum_type[0].value.add(name="NEW", number=99)

    assert changed(files, add) == []
