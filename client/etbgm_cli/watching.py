"""Shows the progress of a job: bars on a terminal, plain lines elsewhere."""

from collections.abc import AsyncIterator

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_cli.plain import printable
from etbgm_client import ApiError

STAGES = {
    pb.STAGE_INGEST: "reading the video",
    pb.STAGE_SEPARATE: "separating the speech",
    pb.STAGE_TRANSCRIBE: "transcribing the speech",
    pb.STAGE_ANALYZE: "analysing the emotions",
    pb.STAGE_GENERATE: "composing the music",
    pb.STAGE_MIX: "mixing",
}
"""Stages that are missing here, such as those of a newer gateway, are not shown."""


async def show(jobs: AsyncIterator[pb.Job], console: Console) -> pb.Job:
    """Shows the progress of a job until it ends and returns its last state."""
    follow = _bars if console.is_terminal else _lines
    return await follow(jobs, console)


def state_of(job: pb.Job) -> str:
    """The job's state in lower case."""
    return pb.State.Name(job.state).removeprefix("STATE_").lower()


def require_success(job: pb.Job) -> None:
    """Raises ApiError with the job's error unless the job has succeeded."""
    if job.state != pb.STATE_SUCCEEDED:
        job.error.message = job.error.message or f"the job is {state_of(job)}"
        raise ApiError(job.error)


def bars(console: Console) -> Progress:
    """A context that displays progress bars, but only on a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


async def _bars(jobs: AsyncIterator[pb.Job], console: Console) -> pb.Job:
    with bars(console) as progress:
        of_stage = {stage: progress.add_task(text, total=1.0, start=False) for stage, text in STAGES.items()}
        async for job in jobs:
            for stage in _shown(job):
                bar = of_stage[stage.stage]
                progress.start_task(bar)
                completed = 1.0 if stage.HasField("end_time") else stage.fraction
                text = _wait(stage) or STAGES[stage.stage]
                progress.update(bar, completed=completed, description=text)
                if stage.HasField("end_time"):
                    progress.stop_task(bar)
    return job


async def _lines(jobs: AsyncIterator[pb.Job], console: Console) -> pb.Job:
    begun: set[int] = set()
    ended: set[int] = set()
    waited = ""
    async for job in jobs:
        for stage in _shown(job):
            text = STAGES[stage.stage]
            if stage.stage not in begun:
                begun.add(stage.stage)
                console.print(f"{text} ...")
            if stage.stage not in ended and stage.HasField("end_time"):
                ended.add(stage.stage)
                took_s = (stage.end_time.ToNanoseconds() - stage.start_time.ToNanoseconds()) * 1e-9
                console.print(f"{text}: {'reused from cache' if stage.found else f'{took_s:.1f} s'}")
        waits = next((wait for stage in _shown(job) if (wait := _wait(stage))), "")
        if waits and waits != waited:
            console.print(waits)
        waited = waits
    return job


def _wait(stage: pb.StageProgress) -> str:
    """A text that names what the stage waits for; "" if it does not wait."""
    if stage.waiting_for == "storage":
        return "waiting for free space: a disk of the server is full"
    return f"waiting for the {printable(stage.waiting_for)} service" if stage.waiting_for else ""


def _shown(job: pb.Job) -> list[pb.StageProgress]:
    return [stage for stage in job.stages if stage.stage in STAGES]
