"""The gateway's Prometheus metrics besides those of its calls: jobs, cues, stages, replicas."""

import logging
from collections.abc import Iterable, Sequence

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm_gateway.store.jobs import JobStore
from etbgm_gateway.upstream.clients import Clients
from etbgm_kit.converters import seconds_from_pb
from etbgm_kit.serving.metrics import SECONDS

log = logging.getLogger(__name__)

_NONE = {name.removeprefix("STATE_"): 0 for name in gateway_pb2.State.keys()[1:]}


class StageMetrics:
    """How this gateway's jobs spend their time.

    A stage's real-time factor is the increase of its inference seconds divided by that of its media
    seconds: how long engines compute for a second of video (of each variant, where there are variants).
    """

    def __init__(self) -> None:
        of_stage = ("stage",)
        self._seconds = Histogram(
            "etbgm_stage_seconds", "Duration of stages.", of_stage, buckets=SECONDS, registry=None
        )
        self._inference = Counter(
            "etbgm_stage_inference_seconds", "Time that engines computed.", of_stage, registry=None
        )
        self._media = Counter(
            "etbgm_stage_media_seconds", "Video, or variants of it, computed on.", of_stage, registry=None
        )
        for stage in gateway_pb2.Stage.keys()[1:]:
            # Prometheus sees no increase in the first value of a new counter.
            for counter in (self._inference, self._media):
                counter.labels(stage.removeprefix("STAGE_"))

    @property
    def collectors(self) -> tuple[Collector, ...]:
        """The collectors to register."""
        return (self._seconds, self._inference, self._media)

    def ended(
        self, entry: gateway_pb2.StageProgress, timings: Sequence[media_pb2.Timings], media_s: float
    ) -> None:
        """Records a stage that has ended: its calls, for `media_s` in total, had these timings."""
        stage = gateway_pb2.Stage.Name(entry.stage).removeprefix("STAGE_")
        duration_s = (entry.end_time.ToNanoseconds() - entry.start_time.ToNanoseconds()) / 1e9
        self._seconds.labels(stage).observe(max(0.0, duration_s))
        computed = [timing for timing in timings if not timing.found]
        if computed:
            inference_s = sum(seconds_from_pb(timing.inference_duration) for timing in computed)
            self._inference.labels(stage).inc(inference_s)
            self._media.labels(stage).inc(media_s * len(computed) / len(timings))


class ClusterMetrics(Collector):
    """Metrics that are read on each scrape. Jobs and cues are the same at every gateway."""

    def __init__(self, jobs: JobStore, clients: Clients) -> None:
        self._jobs, self._clients = jobs, clients

    def collect(self) -> Iterable[Metric]:
        """See Collector. Blocks."""
        try:
            yield _gauge("etbgm_jobs", "Jobs in the job store.", "state", {**_NONE, **self._jobs.by_state()})
            yield GaugeMetricFamily("etbgm_cues", "Cues, queued and running.", self._jobs.cues_left())
        except SQLAlchemyError as error:
            log.warning("cannot count jobs", extra={"reason": repr(error)})
        services = self._clients.by_name()
        replicas = {name: remote.presence.serving for name, remote in services.items()}
        in_flight = {name: remote.replicas.in_flight for name, remote in services.items()}
        # Not labelled `service`: in Prometheus that label names the service that exports the metrics.
        yield _gauge("etbgm_replicas", "Replicas that take calls.", "callee", replicas)
        yield _gauge("etbgm_calls_to", "Calls of this gateway to a service.", "callee", in_flight)


def _gauge(name: str, text: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value_of, value in values.items():
        family.add_metric([value_of], value)
    return family
