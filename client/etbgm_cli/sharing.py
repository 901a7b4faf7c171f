"""`etbgm share`: links to results, for people without a key."""

from datetime import UTC, timedelta
from typing import Annotated

import typer

from etbgm_cli.console import console, guarded
from etbgm_cli.gateway import ADDRESS, Gateway, JobId
from etbgm_client import AsyncClient

Page = Annotated[str, typer.Option(envvar="ETBGM_PAGE", help="Address of the web page, as others reach it.")]
LOCAL_PAGE = "http://127.0.0.1:8440"


def share(
    job_id: JobId,
    days: Annotated[float, typer.Option(min=0.001, max=365, help="How long the link is accepted.")] = 7,
    show: Annotated[bool, typer.Option("--list", help="List the links to the job instead.")] = False,
    delete: Annotated[str, typer.Option(metavar="ID", help="Delete this link instead.")] = "",
    page: Page = LOCAL_PAGE,
    gateway: Gateway = ADDRESS,
) -> None:
    """Print a link that shows a job's results to people without a key; it cannot be shown again."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            if delete:
                await client.shares.delete(job_id, delete)
                console.print(f"the link {delete} is deleted")
            elif show:
                for one in await client.shares.list(job_id):
                    expires = one.expire_time.ToDatetime(UTC)
                    console.print(f"{one.share_id}  valid until {expires:%Y-%m-%d %H:%M} UTC")
            else:
                made = await client.shares.create(job_id, timedelta(days=days))
                typer.echo(f"{page.rstrip('/')}{made.path}")

    guarded(work())
