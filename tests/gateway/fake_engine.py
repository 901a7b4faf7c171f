"""What the fake engines have in common: the store, notes, the pace and the holding; see fakes.py."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from etbgm.media.v1 import media_pb2
from etbgm_kit.artifacts.memo import Memo
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, artifact_to_pb
from etbgm_kit.errors import CallCancelled, InvalidField
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.runner import Runner

Report = Callable[[float], None]
PACE_S = float(os.environ.get("FAKE_PACE_S", "0"))
SLOTS, WAITING = int(os.environ.get("FAKE_SLOTS", "8")), int(os.environ.get("FAKE_WAITING", "8"))


class NotedMemo(Memo):
    """Notes what it stores: the time, the replica and the name of the result."""

    def __init__(self, store: ArtifactStore, notes: Path, replica: int) -> None:
        super().__init__(store)
        self._notes, self._replica = notes, replica

    def keep(self, revision: str, request: Message, result: Message) -> None:
        """See Memo."""
        super().keep(revision, request, result)
        with self._notes.open("a") as file:
            file.write(f"{time.time():.3f} {self._replica} {self.key(revision, request)}\n")


class FakeEngine:
    """What the four have in common: the store, the notes of calls, the pace, the holding."""

    def __init__(self, folder: Path, store: ArtifactStore, runner: Runner, replica: int) -> None:
        self._folder, self.store = folder, store
        self.calls = Calls(runner, NotedMemo(store, folder / "computed", replica), lambda: "fake-1")

    def note(self, what: str) -> None:
        with (self._folder / "calls").open("a") as file:
            file.write(f"{what}\n")

    def hold(self, method: str, report: Report) -> None:
        report(0.5)
        ends_at = time.monotonic() + (PACE_S if method != "Probe" else 0)
        try:
            while (left_s := ends_at - time.monotonic()) > 0:
                report(0.5)
                time.sleep(min(left_s, 0.1))
            while (self._folder / f"hold.{method}").exists():
                report(0.5)
                time.sleep(0.01)
        except CallCancelled:
            self.note(f"{method} cancelled")
            raise

    def put(self, text: str, media_type: str) -> media_pb2.Artifact:
        return artifact_to_pb(self.store.put_bytes(text.encode(), media_type))

    def read(self, artifact: media_pb2.Artifact, field: str) -> dict[str, Any]:
        try:
            video: dict[str, Any] = json.loads(self.store.read(artifact_from_pb(artifact, field), field))
            return video
        except ValueError:
            raise InvalidField(field, "is not a video") from None
