"""`etbgm jobs`: the jobs of a running server."""

from pathlib import Path
from typing import Annotated

import typer
from google.protobuf import json_format

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_gateway.cli import results, watching
from etbgm_gateway.cli.client import GatewayClient
from etbgm_gateway.cli.console import JobFailed, console, guarded

app = typer.Typer(no_args_is_help=True, help="Work with the jobs of a running server (see `run --gateway`).")

Gateway = Annotated[str, typer.Option(envvar="ETBGM_GATEWAY", help="Address of the gateway.")]
JobId = Annotated[str, typer.Argument(help="The job's id.")]
ADDRESS = "127.0.0.1:50050"


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20, gateway: Gateway = ADDRESS
) -> None:
    """List the newest jobs."""

    async def work() -> None:
        async with GatewayClient(gateway) as client:
            jobs = await client.list_jobs(limit)
        for job in jobs:
            stage = watching.STAGES[job.stages[-1].stage] if job.stages else ""
            created = job.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
            console.print(f"{job.job_id}  {created}  {state_of(job):<9}  {stage}")

    guarded(work())


@app.command()
def show(job_id: JobId, gateway: Gateway = ADDRESS) -> None:
    """Print a job as JSON."""

    async def work() -> None:
        async with GatewayClient(gateway) as client:
            job = await client.get_job(job_id)
        console.out(json_format.MessageToJson(job), highlight=False)

    guarded(work())


@app.command()
def watch(job_id: JobId, gateway: Gateway = ADDRESS) -> None:
    """Follow a job to its end; Ctrl-C leaves the job running."""

    async def work() -> None:
        async with GatewayClient(gateway) as client:
            job = await watching.show(client.watch(job_id), console)
        _require_success(job)

    guarded(work())


@app.command()
def cancel(job_id: JobId, gateway: Gateway = ADDRESS) -> None:
    """Stop a job."""

    async def work() -> None:
        async with GatewayClient(gateway) as client:
            console.print(state_of(await client.cancel_job(job_id)))

    guarded(work())


@app.command()
def fetch(
    job_id: JobId,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")],
    gateway: Gateway = ADDRESS,
) -> None:
    """Download all that a job made."""

    async def work() -> None:
        async with GatewayClient(gateway) as client:
            job = await client.get_job(job_id)
            _require_success(job)
            await results.fetch(client, job.result, output)

    guarded(work())


def state_of(job: pb.Job) -> str:
    """The job's state in lower case."""
    return pb.State.Name(job.state).removeprefix("STATE_").lower()


def _require_success(job: pb.Job) -> None:
    if job.state != pb.STATE_SUCCEEDED:
        error = job.error
        error.message = error.message or f"the job is {state_of(job)}"
        raise JobFailed(error)
