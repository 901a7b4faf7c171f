"""`etbgm jobs`: manages the jobs of a running gateway."""

from pathlib import Path
from typing import Annotated

import typer
from google.protobuf import json_format

from etbgm_cli import watching
from etbgm_cli.console import console, guarded
from etbgm_cli.delivery import staged
from etbgm_cli.elsewhere import create, remix
from etbgm_cli.gateway import ADDRESS, Gateway, JobId
from etbgm_cli.output import Place, check_place, check_space
from etbgm_client import AsyncClient
from etbgm_client.results import files_of

app = typer.Typer(no_args_is_help=True, help="Manage the jobs of a running gateway.")


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of jobs to list.")] = 20,
    matching: Annotated[
        str,
        typer.Option("--filter", help="Only these, for example 'state = FAILED AND labels.channel = news*'."),
    ] = "",
    order_by: Annotated[
        str, typer.Option(help="Order, for example 'priority desc, create_time' (default: newest first).")
    ] = "",
    gateway: Gateway = ADDRESS,
) -> None:
    """List jobs."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            jobs = await client.list_jobs(limit, matching, order_by)
        for job in jobs:
            stage = watching.STAGES.get(job.stages[-1].stage, "") if job.stages else ""
            created = job.create_time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")
            labels = " ".join(f"{key}={value}" for key, value in sorted(job.labels.items()))
            line = f"{job.job_id}  {created}  {watching.state_of(job):<9}  {stage:<10}  {labels}"
            console.print(line.rstrip(), markup=False)

    guarded(work())


@app.command()
def choose(
    job_id: JobId,
    number: Annotated[int, typer.Argument(min=0, help="Number of the variant; 0 for none.")],
    gateway: Gateway = ADDRESS,
) -> None:
    """Note which variant of a job was chosen."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            await client.select_variant(job_id, number)

    guarded(work())


@app.command()
def queue(gateway: Gateway = ADDRESS) -> None:
    """Print figures on the queue as JSON."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            typer.echo(json_format.MessageToJson(await client.queue_stats()))

    guarded(work())


@app.command()
def capabilities(gateway: Gateway = ADDRESS) -> None:
    """Print styles, languages, engines, licences and limits of the gateway as JSON."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            typer.echo(json_format.MessageToJson(await client.capabilities()))

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


app.command("create")(create)
app.command("remix")(remix)


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
