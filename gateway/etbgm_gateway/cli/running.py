"""`etbgm run`: one video through the chain, from file to files."""

import asyncio
import os
import shutil
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from google.rpc import code_pb2

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_gateway import licences
from etbgm_gateway.cli import results, watching
from etbgm_gateway.cli.client import GatewayClient
from etbgm_gateway.cli.console import JobFailed, console, tell
from etbgm_gateway.cli.stack import stack
from etbgm_gateway.cli.wishes import Wishes, container_of, settings_of
from etbgm_gateway.seeds import DEFAULT_VARIANTS
from etbgm_kit.errors import InvalidField, NotFound
from etbgm_kit.scratch import Scratch

KEPT_LOGS = 10
"""Log folders of failed runs that are kept."""


@dataclass(frozen=True)
class Order:
    """What `run` was asked: a video, where the result goes (None: beside it), which variant."""

    video: Path
    output: Path | None
    choose: int
    wishes: Wishes

    def checked(self) -> "Order":
        """The order with the output's container; NotFound, InvalidField when it cannot be met."""
        if not self.video.is_file():
            raise NotFound(f"video: there is no file {self.video}")
        if not self.video.stat().st_size:
            raise InvalidField("video", "is empty")
        if self.choose > (self.wishes.variants or DEFAULT_VARIANTS):
            raise InvalidField("choose", "there are not so many variants")
        if self.output is None:
            return self
        if self.output.exists() and self.output.samefile(self.video):
            raise InvalidField("output", "is the video itself")
        return replace(self, wishes=replace(self.wishes, container=container_of(self.output)))


async def run_here(order: Order, cache: Path, in_process: bool) -> None:
    """Starts the chain, runs the job, ends the chain. Logs stay only when the job fails."""
    order = order.checked()
    logs = _new_log_folder(cache / "logs")
    with Scratch(None).folder() as data:
        async with AsyncExitStack() as running:
            with console.status("starting the services"):
                chain = stack((cache / "store").resolve().as_uri(), data, logs, in_process=in_process)
                address = await running.enter_async_context(chain)
            try:
                await run_there(order, address, detach=False)
            except JobFailed as failure:
                if failure.status.code == code_pb2.INTERNAL:
                    failure.status.message += f": {logs}"
                raise
    shutil.rmtree(logs)


def _new_log_folder(logs: Path) -> Path:
    """An empty folder for this run's logs; those of the oldest failed runs go."""
    old = sorted(logs.glob("*")) if logs.exists() else []
    for folder in old[:-KEPT_LOGS]:
        shutil.rmtree(folder, ignore_errors=True)
    return logs / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"


async def run_there(order: Order, gateway: str, detach: bool) -> None:
    """Runs the job on the gateway at that address. Ctrl-C cancels the job."""
    order = order.checked()
    async with GatewayClient(gateway) as client:
        with console.status("uploading the video"):
            video = await client.upload(order.video)
            settings = await settings_of(order.wishes, client)
        job = await client.create_job(video, settings)
        if detach:
            console.print(job.job_id)
            return
        try:
            job = await watching.show(client.watch(job.job_id), console)
        except asyncio.CancelledError:
            await client.cancel_job(job.job_id)
            raise
        await _deliver(order, client, job)


async def _deliver(order: Order, client: GatewayClient, job: pb.Job) -> None:
    if job.state != pb.STATE_SUCCEEDED:
        raise JobFailed(job.error)
    name = f"{order.video.stem}-with-music.{job.result.container}"
    output = order.output or order.video.with_name(name)
    folder = output.with_suffix("")
    output.parent.mkdir(parents=True, exist_ok=True)
    await results.fetch(client, job.result, folder)
    results.copy_variant(job.result, folder, order.choose, output)
    tell(job.result.notes, licences.warnings(job.result.engines))
    console.print(f"{output}  (all variants and parts: {folder}/)")
