"""Caches results, so that the same request is not computed twice.

A result's name is the SHA-256 of the request's type, the engine's revision and the request.
Requests refer to media by content, so the same stage on the same input with the
same settings has the same name in every job and on every replica.
"""

import hashlib
from collections.abc import Iterator
from typing import TypeVar

from google.protobuf.message import Message

from etbgm.media.v1 import media_pb2
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb

Result = TypeVar("Result", bound=Message)


class Memo:
    """Stores results in the artifact store and finds them again."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def find(self, revision: str, request: Message, result_type: type[Result]) -> Result | None:
        """The stored result for `request`; None without one, or if an artifact that it names is missing."""
        record = self._store.recall(_name(revision, request))
        if record is None:
            return None
        result = result_type.FromString(record)
        if all(self._store.exists(artifact_from_pb(artifact)) for artifact in artifacts_in(result)):
            return result
        return None

    def keep(self, revision: str, request: Message, result: Message) -> None:
        """Stores `result` for `request`."""
        self._store.remember(_name(revision, request), result.SerializeToString())

    def key(self, revision: str, request: Message) -> str:
        """The key, in the artifact store, of the result for `request`."""
        return f"records/{_name(revision, request)}"


def artifacts_in(message: Message) -> Iterator[media_pb2.Artifact]:
    """Yields all artifacts in `message`, at any depth."""
    return messages_in(message, media_pb2.Artifact)


def messages_in(message: Message, kind: type[Result]) -> Iterator[Result]:
    """Yields all messages of this type in `message`, at any depth."""
    if isinstance(message, kind):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for part in value if field.is_repeated else [value]:
            yield from messages_in(part, kind)


def _name(revision: str, request: Message) -> str:
    digest = hashlib.sha256(f"{request.DESCRIPTOR.full_name}\n{revision}\n".encode())
    digest.update(request.SerializeToString(deterministic=True))
    return f"{request.DESCRIPTOR.full_name}/{digest.hexdigest()}"
