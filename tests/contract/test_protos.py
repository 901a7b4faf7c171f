"""The contract explains itself: every element has a comment, names follow the conventions."""

from collections.abc import Iterator
from pathlib import Path

import google.rpc
import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from tests.contract.surface import PROTOS, compiled

pytestmark = pytest.mark.process

UNSIGNED = {4, 6, 7, 13}
"""FieldDescriptorProto.Type of uint64, fixed64, fixed32, uint32."""
NOT_OURS = {"externalscaler"}
"""Packages whose names others have chosen."""


@pytest.fixture(scope="module")
def files() -> list[FileDescriptorProto]:
    return compiled()


def elements(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """Path (as in SourceCodeInfo) and name of every element of a file."""
    for i, service in enumerate(file.service):
        yield (6, i), service.name
        for j, method in enumerate(service.method):
            yield (6, i, 2, j), f"{service.name}.{method.name}"
    for i, enum in enumerate(file.enum_type):
        yield (5, i), enum.name
        for j, value in enumerate(enum.value):
            yield (5, i, 2, j), value.name
    for i, message in enumerate(file.message_type):
        yield from _message_elements((4, i), message)


def _message_elements(
    path: tuple[int, ...], message: DescriptorProto
) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, message.name
    for j, field in enumerate(message.field):
        yield (*path, 2, j), f"{message.name}.{field.name}"
    for j, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _message_elements((*path, 3, j), nested)


def test_every_element_has_a_comment(files: list[FileDescriptorProto]) -> None:
    bare = []
    for file in files:
        comments = {tuple(at.path): at.leading_comments.strip() for at in file.source_code_info.location}
        bare += [f"{file.name}: {name}" for path, name in elements(file) if not comments.get(path)]
    assert len(files) == 14
    assert bare == []


def test_the_folder_contains_all_that_programs_in_other_languages_need() -> None:
    # `compiled` includes only this folder; protoc itself has google/protobuf.
    google_folder = Path(next(iter(google.rpc.__path__))).parent
    for name in ("rpc/status", "rpc/error_details", "rpc/code", "api/annotations", "api/http"):
        installed = google_folder / f"{name}.proto"
        assert (PROTOS / "third_party/google" / f"{name}.proto").read_text() == installed.read_text()


def test_packages_are_folders_and_enums_start_unspecified(files: list[FileDescriptorProto]) -> None:
    for file in files:
        assert file.package == str(Path(file.name).parent).replace("/", ".")
        for enum in file.enum_type:
            assert enum.value[0].name.endswith("_UNSPECIFIED")
            prefix = enum.value[0].name.removesuffix("UNSPECIFIED")
            assert all(value.name.startswith(prefix) for value in enum.value)


def test_rpcs_have_messages_of_their_own_and_numbers_are_signed(files: list[FileDescriptorProto]) -> None:
    for file in files:
        if file.package in NOT_OURS:
            continue
        for service in file.service:
            for method in service.method:
                assert method.input_type == f".{file.package}.{method.name}Request"
                assert method.output_type == f".{file.package}.{method.name}Response"
        unsigned = [f.name for message in file.message_type for f in message.field if f.type in UNSIGNED]
        assert unsigned == []
