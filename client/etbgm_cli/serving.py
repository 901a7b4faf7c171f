"""`etbgm serve` and `etbgm ui`: all services and the gateway, and its web page."""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from etbgm_cli import page
from etbgm_cli.console import console, guarded, print_warning, showing_errors
from etbgm_cli.stack import StackOptions, stack
from etbgm_client import AsyncClient
from etbgm_kit.artifacts.locks import locked
from etbgm_kit.errors import NotFound

Listen = Annotated[str, typer.Option(help="Address of the gRPC API.")]
Http = Annotated[str, typer.Option(help='Address of the HTTP API and the web page; "" disables them.')]
Data = Annotated[
    Path | None, typer.Option(help="Folder for jobs, artifacts and logs (default: ~/.local/share/etbgm).")
]
StoreUrl = Annotated[
    str,
    typer.Option(envvar="ETBGM_STORE_URL", help="Store artifacts at this URL instead: s3://bucket/prefix."),
]
JobStoreUrl = Annotated[
    str,
    typer.Option(envvar="ETBGM_JOB_STORE_URL", help="Store jobs in this database instead: postgresql://…"),
]
_GRPC, _HTTP = "127.0.0.1:8430", "127.0.0.1:8440"


def serve(
    listen: Listen = _GRPC,
    http: Http = _HTTP,
    data: Data = None,
    store_url: StoreUrl = "",
    job_store_url: JobStoreUrl = "",
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Permit --listen beyond loopback without TLS.")
    ] = False,
) -> None:
    """Run all services, the gateway and its web page until interrupted.

    Callers need the key in the file `key` of the data folder, or one that `etbgm keys create` made. The
    address that is printed on a terminal contains it.
    """
    options = _options(listen, http, data, store_url, job_store_url)
    guarded(_serve(replace(options, insecure=insecure)))


def ui(
    videos: Annotated[
        list[Path] | None, typer.Argument(metavar="[VIDEO...]", help="Videos to have ready on the page.")
    ] = None,
    listen: Listen = _GRPC,
    http: Http = _HTTP,
    data: Data = None,
    store_url: StoreUrl = "",
    job_store_url: JobStoreUrl = "",
) -> None:
    """Open the web page in the browser, with videos; uses a running `etbgm serve`, or runs one."""
    with showing_errors():
        for video in videos or []:
            if not video.is_file():
                raise NotFound(f"video: no such file: {video}")
    options = _options(listen, http or _HTTP, data, store_url, job_store_url)
    guarded(_ui(options, videos or []))


def folder_of(variable: str, default: str) -> Path:
    """The product's folder according to the XDG base directory specification."""
    return Path(os.environ.get(variable) or Path.home() / default) / "etbgm"


def _options(listen: str, http: str, data: Path | None, store_url: str, job_store_url: str) -> StackOptions:
    data = data or folder_of("XDG_DATA_HOME", ".local/share")
    store_url = store_url or (data / "store").resolve().as_uri()
    options = StackOptions(store_url, data, data / "logs", print_warning, listen, job_store_url)
    return replace(options, http_address=http)


async def _serve(options: StackOptions, videos: Sequence[Path] | None = None) -> None:
    """Serves until interrupted; with `videos`, which may be none, also opens the page."""
    stopping = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signal_number, stopping.set)
    async with stack(options) as address:
        also = f"HTTP: http://{options.http_address}; " if options.http_address else ""
        console.print(
            f"ET-BGM listens on {address}; {also}data and logs are in {options.data}; press Ctrl-C to stop"
        )
        if options.http_address:
            link = page.write_link(options.data, options.http_address)
            shown = link if console.is_terminal else page.public_part(link)
            console.print(f"Web page: {shown}", soft_wrap=True)
            if videos is not None:
                await _open(options, address, videos)
        await stopping.wait()
        page.remove_link(options.data)


async def _ui(options: StackOptions, videos: Sequence[Path]) -> None:
    if page.link_of(options.data) and _is_served(options.data):
        await _open(options, options.listen_address, videos)
    else:
        await _serve(options, videos)


def _is_served(data: Path) -> bool:
    """Whether a server runs on the folder; one that was killed has left its notes there."""
    with locked(data / "lock") as is_free:
        return not is_free


async def _open(options: StackOptions, gateway: str, videos: Sequence[Path]) -> None:
    """Uploads the videos and opens the page with them."""
    link, key = page.link_of(options.data), page.key_in(options.data)
    places = []
    async with AsyncClient(gateway, key) as client:
        for video in videos:
            with console.status(f"uploading {video.name}"):
                places.append(page.place_of(video.name, await client.upload(video)))
    page.open_in_browser(options.data, f"{link}{'&'.join(['', *places])}")
