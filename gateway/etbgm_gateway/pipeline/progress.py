"""Tracks a job's progress and writes it to the job store at intervals."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType

from google.protobuf.timestamp_pb2 import Timestamp

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm_gateway.store.database import AWAY
from etbgm_gateway.store.holdings import Holdings
from etbgm_gateway.store.jobs import JobRow, JobStore

log = logging.getLogger(__name__)

WRITE_EVERY_S = 0.25
"""Interval between two writes for one job."""


class Progress:
    """What a job shows of its progress: an asynchronous context that writes changes while it lasts.

    A job that resumes after a crash passes through its finished stages again; they keep
    their original times. The job continues while the database is unavailable.
    """

    def __init__(self, jobs: JobStore, holdings: Holdings, job: JobRow) -> None:
        """Continues from `job` as the job store holds it."""
        self._jobs, self._holdings = jobs, holdings
        self._job_id, self._tenant = job.job_id, job.tenant
        self._held: set[str] = set()
        self._to_hold: set[str] = set()
        self._job = gateway_pb2.Job.FromString(job.stages)
        self._cues_left = job.cues_left
        self._parts: dict[int, list[float]] = {}
        self._waiting: dict[int, Counter[str]] = {}
        self._changed, self._ended = False, asyncio.Event()
        for entry in self._job.stages:
            entry.waiting_for = ""

    @property
    def stages(self) -> list[gateway_pb2.StageProgress]:
        """The stages that have started, in order."""
        return list(self._job.stages)

    async def __aenter__(self) -> "Progress":
        self._writer = asyncio.create_task(self._write_often())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not cancelled: a write that goes on in its thread could overwrite the last one.
        self._ended.set()
        await asyncio.wait([self._writer])
        await self._write()

    def hold(self, names: Iterable[str]) -> None:
        """Records that the job holds these objects of the artifact store."""
        self._to_hold |= set(names) - self._held
        self._changed = self._changed or bool(self._to_hold)

    def begin(self, stage: gateway_pb2.Stage.ValueType) -> None:
        """Starts `stage`, unless it has already started."""
        if self._find(stage) is None:
            self._job.stages.add(stage=stage, start_time=_now())
            self._changed = True

    def part(self, stage: gateway_pb2.Stage.ValueType) -> Callable[[float], None]:
        """Returns a callback for one of several calls that share `stage`, whose fraction is their mean."""
        parts = self._parts.setdefault(stage, [])
        number = len(parts)
        parts.append(0.0)

        def report(fraction: float) -> None:
            parts[number] = fraction
            entry = self._find(stage)
            if entry is not None and not entry.HasField("end_time"):
                entry.fraction = max(entry.fraction, min(1.0, sum(parts) / len(parts)))
                self._changed = True

        return report

    def wait(self, stage: gateway_pb2.Stage.ValueType, service: str, waits: bool) -> None:
        """Records that a call of `stage` starts or stops waiting for a replica of `service`."""
        waiting = self._waiting.setdefault(stage, Counter())
        waiting[service] += 1 if waits else -1
        entry = self._find(stage)
        if entry is not None:
            entry.waiting_for = next((name for name, calls in waiting.items() if calls), "")
            self._changed = True

    def preview(self, number: int, audio: media_pb2.Artifact) -> None:
        """Shows the sound of a variant, instead of what was shown before."""
        entry = next((entry for entry in self._job.previews if entry.number == number), None)
        if entry is None:
            entry = self._job.previews.add(number=number)
        elif entry.audio == audio:
            return
        entry.audio.CopyFrom(audio)
        self._changed = True

    def excerpt(self, excerpt: gateway_pb2.Excerpt) -> None:
        """Shows the sound of what a remix has changed."""
        self._job.excerpt.CopyFrom(excerpt)
        self._changed = True

    def cues(self, number: int) -> None:
        """Sets the number of cues left to render."""
        self._cues_left = number
        self._changed = True

    def cue_rendered(self) -> None:
        """Records that one cue was rendered."""
        self.cues(self._cues_left - 1)

    def end(self, stage: gateway_pb2.Stage.ValueType, *, found: bool) -> gateway_pb2.StageProgress | None:
        """Ends `stage`; returns None if it has already ended. `found`: nothing had to be computed."""
        entry = self._find(stage)
        if entry is None or entry.HasField("end_time"):
            return None
        entry.fraction, entry.found = 1.0, found
        entry.end_time.CopyFrom(_now())
        self._changed = True
        return entry

    def _find(self, stage: gateway_pb2.Stage.ValueType) -> gateway_pb2.StageProgress | None:
        return next((entry for entry in self._job.stages if entry.stage == stage), None)

    async def _write_often(self) -> None:
        while not self._ended.is_set():
            await self._write()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), WRITE_EVERY_S)

    async def _write(self) -> None:
        if self._changed:
            self._changed = False
            stages, names = self._job.SerializeToString(), self._to_hold
            self._to_hold = set()
            try:
                await asyncio.to_thread(self._holdings.hold, self._tenant, self._job_id, names)
                self._held |= names
                await asyncio.to_thread(self._jobs.keep_progress, self._job_id, stages, self._cues_left)
            except AWAY as error:
                self._changed = True
                self._to_hold |= names - self._held
                log.warning(
                    "cannot keep progress", extra={"job_id": self._job_id, "reason": repr(error.orig)}
                )


def _now() -> Timestamp:
    now = Timestamp()
    now.GetCurrentTime()
    return now
