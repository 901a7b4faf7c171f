"""How the stages of one job call: as durable steps, with a deadline, telling their progress."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm_gateway.metrics import StageMetrics
from etbgm_gateway.progress import Progress
from etbgm_gateway.remote import Remote
from etbgm_gateway.replicas import Stub
from etbgm_gateway.steps import Result, Steps


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Time that each call of a stage has: `fixed_s` and `per_media_s` for each second of video."""

    fixed_s: float
    per_media_s: float


class StageCalls:
    """The calls of one job. A step's number is drawn when its method is called, see Steps.run."""

    def __init__(self, steps: Steps, progress: Progress, deadlines: Deadlines, metrics: StageMetrics) -> None:
        self._steps, self._progress, self._deadlines, self._metrics = steps, progress, deadlines, metrics
        self._media_s, self._deadline_s = 0.0, deadlines.fixed_s

    def allow_for(self, media_s: float) -> None:
        """From now on calls have the time that `media_s` seconds of video take."""
        self._media_s = media_s
        self._deadline_s = self._deadlines.fixed_s + self._deadlines.per_media_s * media_s

    @property
    def progress(self) -> list[gateway_pb2.StageProgress]:
        """How far each stage has come."""
        return self._progress.stages

    def expect_cues(self, number: int) -> None:
        """So many are to be rendered."""
        self._progress.cues(number)

    def step(
        self, name: str, result_type: type[Result], work: Callable[[], Awaitable[Result]]
    ) -> Coroutine[Any, Any, Result]:
        """The durable step `name`, which calls nobody."""
        return self._steps.run(name, result_type, work)

    def unary(
        self,
        name: str,
        service: Remote[Stub],
        method: Callable[[Stub], Callable[..., Awaitable[Result]]],
        request: Message,
        result_type: type[Result],
    ) -> Coroutine[Any, Any, Result]:
        """The durable step `name`: a quick call."""
        return self.step(name, result_type, lambda: service.unary(method, request, self._deadline_s))

    def stream(
        self,
        stage: gateway_pb2.Stage.ValueType,
        name: str,
        service: Remote[Stub],
        method: Callable[[Stub], Callable[..., Any]],
        request: Message,
        result_type: type[Result],
    ) -> Coroutine[Any, Any, Result]:
        """The durable step `name`: a call that streams its progress, which counts towards `stage`."""
        report = self._progress.part(stage)
        return self.step(
            name, result_type, lambda: service.stream(method, request, result_type, self._deadline_s, report)
        )

    async def cue(self, rendering: Coroutine[Any, Any, Result]) -> Result:
        """What `rendering` returns; then one cue less is left."""
        result = await rendering
        self._progress.cue_rendered()
        return result

    @contextmanager
    def stage(
        self, stage: gateway_pb2.Stage.ValueType, variants: int = 1
    ) -> Iterator[list[media_pb2.Timings]]:
        """The stage lasts as long as the context; the timings of all calls are put into the list."""
        timings: list[media_pb2.Timings] = []
        self._progress.begin(stage)
        yield timings
        ended = self._progress.end(stage, found=all(timing.found for timing in timings))
        if ended:
            self._metrics.ended(ended, timings, variants * self._media_s)
