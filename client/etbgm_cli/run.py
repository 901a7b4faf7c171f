"""`etbgm run`: processes one video file and writes the result files."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_cli import watching
from etbgm_cli.console import console, output_space, print_notes, print_warning
from etbgm_cli.options import JobOptions, container_of, settings_of
from etbgm_cli.stack import StackOptions, stack
from etbgm_client import ApiError, AsyncClient
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.errors import InvalidField, NotFound
from etbgm_kit.models import licences
from etbgm_kit.seeds import DEFAULT_VARIANTS

KEPT_LOGS = 10
"""Number of failed runs whose log folders are kept."""


@dataclass(frozen=True)
class RunRequest:
    """The arguments of `run`: the video, where to write the result (None: beside it), which variant."""

    video: Path
    output: Path | None
    choose: int
    options: JobOptions

    def checked(self) -> "RunRequest":
        """The validated request, with the output's container. Raises NotFound, InvalidField."""
        if not self.video.is_file():
            raise NotFound(f"video: no such file: {self.video}")
        if not self.video.stat().st_size:
            raise InvalidField("video", "is empty")
        variants = self.options.variants or DEFAULT_VARIANTS
        if self.choose > variants:
            raise InvalidField("choose", f"is {self.choose}, but only {variants} variants are made")
        if self.output is None:
            return self
        if self.output.exists() and self.output.samefile(self.video):
            raise InvalidField("output", "must differ from the input video")
        return replace(self, options=replace(self.options, container=container_of(self.output)))


async def run_here(request: RunRequest, cache: Path) -> None:
    """Starts the stack, runs the job and stops the stack. Keeps the logs only if the job fails."""
    request = request.checked()
    async with temporary(cache) as options, _starting(options) as address:
        try:
            await run_there(request, address, detach=False)
        except ApiError as error:
            if error.code == "INTERNAL":
                error.status.message += f": {options.logs}"
            raise


@asynccontextmanager
async def temporary(cache: Path) -> AsyncIterator[StackOptions]:
    """Yields a stack with its own jobs that shares the artifacts in `cache`; removes logs after success."""
    logs = _new_log_folder(cache / "logs")
    with Scratch(None).folder() as data:
        yield StackOptions((cache / "store").resolve().as_uri(), data, logs, print_warning)
    shutil.rmtree(logs)


@asynccontextmanager
async def _starting(options: StackOptions) -> AsyncIterator[str]:
    with console.status("starting the services") as status:
        async with stack(options) as address:
            status.stop()
            yield address


def _new_log_folder(logs: Path) -> Path:
    """The path of this run's log folder. Removes the logs of the oldest failed runs."""
    old = sorted(logs.glob("*")) if logs.exists() else []
    for folder in old[:-KEPT_LOGS]:
        shutil.rmtree(folder, ignore_errors=True)
    return logs / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"


async def run_there(request: RunRequest, gateway: str, detach: bool) -> None:
    """Runs the job on the gateway at address `gateway`. Ctrl-C cancels the job."""
    request = request.checked()
    async with AsyncClient(gateway) as client:
        with console.status("uploading the video"):
            video = await client.upload(request.video)
            settings = await settings_of(request.options, client)
        job = await client.create_job(video, settings)
        if detach:
            console.print(job.job_id)
            return
        try:
            job = await watching.show(client.watch(job.job_id), console)
        except asyncio.CancelledError:
            await client.cancel_job(job.job_id)
            raise
        await _deliver(request, client, job)


async def _deliver(request: RunRequest, client: AsyncClient, job: pb.Job) -> None:
    watching.require_success(job)
    name = f"{request.video.stem}-with-music.{job.result.container}"
    output = request.output or request.video.with_name(name)
    folder = output.with_suffix("")
    with output_space(output.parent):
        output.parent.mkdir(parents=True, exist_ok=True)
        await client.fetch(job.result, folder)
        shutil.copyfile(folder / f"variant-{request.choose}.{job.result.container}", output)
    print_notes(job.result.notes, licences.warnings(job.result.engines))
    console.print(f"Wrote {output}; all variants and parts are in {folder}/")
