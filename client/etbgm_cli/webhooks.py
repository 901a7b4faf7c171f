"""`etbgm webhooks`: manages who hears of the end of jobs."""

from typing import Annotated

import typer

from etbgm_cli.console import console, guarded
from etbgm_cli.gateway import ADDRESS, Gateway
from etbgm_client import AsyncClient

app = typer.Typer(no_args_is_help=True, help="Manage who hears of the end of jobs on a running gateway.")

Url = Annotated[str, typer.Argument(help="Where events are sent, such as https://example.com/etbgm.")]


@app.command("rotate-secret")
def rotate_secret(gateway: Gateway = ADDRESS) -> None:
    """Create or replace the secret that signs events, and print it; it cannot be shown again."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            typer.echo(await client.webhooks.rotate_secret())

    guarded(work())


@app.command()
def create(url: Url, gateway: Gateway = ADDRESS) -> None:
    """Register an address that hears of the end of all jobs."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            typer.echo((await client.webhooks.create(url)).webhook_id)

    guarded(work())


@app.command("list")
def list_webhooks(gateway: Gateway = ADDRESS) -> None:
    """List all webhooks, oldest first."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            for webhook in await client.webhooks.list():
                state = "gone" if webhook.HasField("gone_time") else "active"
                console.print(f"{webhook.webhook_id}  {state}  {webhook.url}")

    guarded(work())


@app.command()
def delete(
    webhook_id: Annotated[str, typer.Argument(help="Id of the webhook, as listed.")],
    gateway: Gateway = ADDRESS,
) -> None:
    """Delete a webhook."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            await client.webhooks.delete(webhook_id)

    guarded(work())


@app.command()
def test(url: Url, gateway: Gateway = ADDRESS) -> None:
    """Send a test event to an address and show how it answers; fails unless it is received."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            answer = await client.webhooks.test(url)
        console.print(f"HTTP status {answer.http_status}" if answer.http_status else answer.error)
        if not 200 <= answer.http_status < 300:
            raise typer.Exit(1)

    guarded(work())
