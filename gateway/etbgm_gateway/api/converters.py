"""Converts stored jobs to messages and back."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm_gateway.outgoing.places import without_query
from etbgm_gateway.results.files import files_of
from etbgm_gateway.store.jobs import UNFINISHED, JobRow
from etbgm_gateway.store.outlook import NO_FORECAST, Forecast
from etbgm_kit.artifacts.addresses import current
from etbgm_kit.artifacts.memo import artifacts_in
from etbgm_kit.errors import InvalidField


def job_to_pb(row: JobRow, keep_s: float | None = None, forecast: Forecast = NO_FORECAST) -> gateway_pb2.Job:
    """Returns the message for `row`; a finished job is kept for `keep_s`, None for ever."""
    request = gateway_pb2.CreateJobRequest.FromString(row.request)
    progress = gateway_pb2.Job.FromString(row.stages)
    if row.state not in UNFINISHED:
        # A cancelled job keeps the progress that was written last.
        for entry in progress.stages:
            entry.waiting_for = ""
    expire_time_s = None if keep_s is None or row.end_time_s is None else row.end_time_s + keep_s
    job = gateway_pb2.Job(
        job_id=row.job_id,
        state=gateway_pb2.State.Value(f"STATE_{row.state}"),
        sequence=row.sequence,
        priority=request.priority,
        selected_variant=row.selected_variant,
        queue_position=forecast.position,
        estimated_start_time=timestamp_to_pb(forecast.start_time_s),
        estimated_end_time=timestamp_to_pb(forecast.end_time_s),
        request_id=row.own_request_id,
        parent_job_id=row.parent_job_id or "",
        video=_video(row, request),
        source_url=without_query(request.source_url),
        destination=request.destination if request.HasField("destination") else None,
        settings=request.settings,
        labels=request.labels,
        user_metadata=request.user_metadata,
        create_time=timestamp_to_pb(row.create_time_s),
        start_time=timestamp_to_pb(row.start_time_s),
        end_time=timestamp_to_pb(row.end_time_s),
        expire_time=timestamp_to_pb(expire_time_s),
        error=Status.FromString(row.error) if row.error is not None else None,
        result=gateway_pb2.JobResult.FromString(row.result) if row.result is not None else None,
    )
    job.MergeFrom(progress)
    if job.HasField("result"):
        _list_files(job.result)
    for artifact in artifacts_in(job):
        artifact.uri = current(artifact.uri)  # a job of release 0.1 would show a path of the server
    return job


def shared_view(job: gateway_pb2.Job) -> gateway_pb2.Job:
    """Returns what someone with a link to the job sees: the result, not where it comes from and goes to."""
    shown = gateway_pb2.Job(
        job_id=job.job_id, state=job.state, video=job.video, settings=job.settings, result=job.result
    )
    for file in shown.result.files:
        file.delivered_url = ""
    shown.settings.ClearField("captions")
    if "name" in job.user_metadata:
        shown.user_metadata["name"] = job.user_metadata["name"]
    return shown


def timestamp_to_pb(seconds: float | None) -> Timestamp | None:
    """Returns the message for seconds since 1970, to the microsecond: a float of today carries no more."""
    if seconds is None:
        return None
    timestamp = Timestamp()
    timestamp.FromMicroseconds(round(seconds * 1e6))
    return timestamp


def request_to_bytes(request: gateway_pb2.CreateJobRequest) -> bytes:
    """Returns the part that is stored and compared with later requests of the same id."""
    return _kept(request).SerializeToString(deterministic=True)


def summary_to_bytes(request: gateway_pb2.CreateJobRequest) -> bytes:
    """Returns the part that lists of jobs show: the same without the timeline, which may be long."""
    kept = _kept(request)
    kept.settings.ClearField("timeline")
    return kept.SerializeToString(deterministic=True)


def _kept(request: gateway_pb2.CreateJobRequest) -> gateway_pb2.CreateJobRequest:
    return gateway_pb2.CreateJobRequest(
        video=request.video if request.HasField("video") else None,
        source_url=request.source_url,
        destination=request.destination if request.HasField("destination") else None,
        webhook_url=request.webhook_url,
        settings=request.settings,
        labels=request.labels,
        user_metadata=request.user_metadata,
        priority=request.priority,
    )


def _video(row: JobRow, request: gateway_pb2.CreateJobRequest) -> media_pb2.Artifact | None:
    if row.video is not None:
        return media_pb2.Artifact.FromString(row.video)
    return request.video if request.HasField("video") else None


def _list_files(result: gateway_pb2.JobResult) -> None:
    """Names all files of a stored result, which has those that were copied to a destination."""
    delivered = {file.name: file.delivered_url for file in result.files}
    del result.files[:]
    for file in files_of(result):
        file.delivered_url = delivered.get(file.name, "")
        result.files.append(file)


def states_from_pb(states: "Sequence[gateway_pb2.State.ValueType]") -> tuple[str, ...]:
    """Returns the job store's names; raises InvalidField for STATE_UNSPECIFIED and unknown numbers."""
    known = gateway_pb2.State.values()
    if len(states) > len(known):
        raise InvalidField("states", f"must be at most {len(known)}, are {len(states):,}")
    for i, state in enumerate(states):
        if state not in known or state == gateway_pb2.STATE_UNSPECIFIED:
            raise InvalidField(f"states[{i}]", f"{state} is not the state of a job")
    return tuple(gateway_pb2.State.Name(state).removeprefix("STATE_") for state in states)
