"""`etbgm keys`: manages the API keys of a running gateway."""

from typing import Annotated

import typer

from etbgm_cli.console import console, guarded
from etbgm_cli.gateway import ADDRESS, Gateway
from etbgm_client import AsyncClient

app = typer.Typer(no_args_is_help=True, help="Manage the API keys of a running gateway.")


@app.command()
def create(
    tenant: Annotated[str, typer.Argument(help="Tenant whose jobs the key gives access to.")] = "default",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="jobs:read, jobs:write or admin; repeatable (default: the first two)."),
    ] = None,
    note: Annotated[str, typer.Option(help="Whose key it is, and what for.")] = "",
    gateway: Gateway = ADDRESS,
) -> None:
    """Create a key and print it; it cannot be shown again."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            typer.echo((await client.create_key(tenant, scope or (), note)).text)

    guarded(work())


@app.command("list")
def list_keys(gateway: Gateway = ADDRESS) -> None:
    """List all keys, newest first: the beginning of each, tenant, scopes, state and note."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            for key in await client.list_keys():
                state = "revoked" if key.HasField("revoke_time") else "valid"
                scopes = ",".join(key.scopes)
                console.print(f"etbgm_{key.key_id}_…  {key.tenant}  {scopes}  {state}  {key.note}")

    guarded(work())


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key, or its beginning as listed.")],
    gateway: Gateway = ADDRESS,
) -> None:
    """Revoke a key: within seconds it is no longer accepted."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            key = await client.revoke_key(key_id.removeprefix("etbgm_").partition("_")[0])
        console.print(f"etbgm_{key.key_id}_… is revoked")

    guarded(work())
