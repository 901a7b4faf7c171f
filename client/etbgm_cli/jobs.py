"""`etbgm jobs`: manages the jobs of a running gateway."""

from pathlib import Path
from typing import Annotated

import typer
from google.protobuf import json_format

from etbgm_cli import watching
from etbgm_cli.console import console, guarded
from etbgm_cli.delivery import staged
from etbgm_cli.output import Place, check_place, check_space
from etbgm_client import AsyncClient
from etbgm_client.results import files_of

app = typer.Typer(no_args_is_help=True, help="Manage the jobs of a running gateway.")

Gateway = Annotated[str, typer.Option(envvar="ETBGM_GATEWAY", help="Address of the gateway.")]
JobId = Annotated[str, typer.Argument(help="Job id.")]
ADDRESS = "127.0.0.1:8430"


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of jobs to list.")] = 20,
    gateway: Gateway = ADDRESS,
) -> None:
    """List the newest jobs."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            jobs = await client.list_jobs(limit)
        for job in jobs:
            stage = watching.STAGES.get(job.stages[-1].stage, "") if job.stages else ""
            created = job.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
            console.print(f"{job.job_id}  {created}  {watching.state_of(job):<9}  {stage}")

    guarded(work())


@app.command()
def show(job_id: JobId, gateway: Gateway = ADDRESS) -> None:
    """Print a job as JSON."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            job = await client.get_job(job_id)
        typer.echo(json_format.MessageToJson(job))

    guarded(work())


@app.command()
def watch(job_id: JobId, gateway: Gateway = ADDRESS) -> None:
    """Show the progress of a job until it ends; Ctrl-C does not cancel it."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            watching.require_success(await watching.show(client.watch(job_id), console))

    guarded(work())


@app.command()
def cancel(job_id: JobId, gateway: Gateway = ADDRESS) -> None:
    """Cancel a job."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            console.print(watching.state_of(await client.cancel_job(job_id)))

    guarded(work())


@app.command()
def delete(job_id: JobId, gateway: Gateway = ADDRESS) -> None:
    """Delete a finished job and its artifacts that no other job holds."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            await client.delete_job(job_id)

    guarded(work())


@app.command()
def fetch(
    job_id: JobId,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write.")],
    gateway: Gateway = ADDRESS,
) -> None:
    """Download all files of a finished job."""

    async def work() -> None:
        check_place(Place(output))
        async with AsyncClient(gateway) as client:
            job = await client.get_job(job_id)
            watching.require_success(job)
            check_space([(output, sum(artifact.size_bytes for _, artifact in files_of(job.result)))])
            with staged(output) as new:
                await client.fetch(job.result, new.folder)

    guarded(work())
