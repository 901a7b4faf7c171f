"""`etbgm keys`: manages the API keys of a running gateway."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from etbgm.gateway.v1 import keys_pb2
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
    expires: Annotated[
        str, typer.Option(help="When it expires: in days, as 90d, or a date, as 2027-01-31 (default: never).")
    ] = "",
    gateway: Gateway = ADDRESS,
) -> None:
    """Create a key and print it; it cannot be shown again."""
    expire_time = _time_of(expires) if expires else None

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            typer.echo((await client.keys.create(tenant, scope or (), note, expire_time)).text)

    guarded(work())


@app.command("list")
def list_keys(gateway: Gateway = ADDRESS) -> None:
    """List all keys, newest first: the beginning of each, tenant, scopes, state and note."""

    async def work() -> None:
        async with AsyncClient(gateway) as client:
            for key in await client.keys.list():
                state = "revoked" if key.HasField("revoke_time") else _validity(key)
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
            key = await client.keys.revoke(key_id.removeprefix("etbgm_").partition("_")[0])
        console.print(f"etbgm_{key.key_id}_… is revoked")

    guarded(work())


def _time_of(text: str) -> datetime:
    """The time that `--expires` means: a date begins at midnight UTC. Raises BadParameter."""
    if days := re.fullmatch(r"([1-9]\d{0,4})d", text):
        return datetime.now(UTC) + timedelta(days=int(days[1]))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "need days, as 90d, or a date, as 2027-01-31", param_hint="--expires"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _validity(key: keys_pb2.Key) -> str:
    if not key.HasField("expire_time"):
        return "valid"
    expires = key.expire_time.ToDatetime(UTC)
    return f"{'expired' if expires <= datetime.now(UTC) else 'valid until'} {expires:%Y-%m-%d %H:%M} UTC"
