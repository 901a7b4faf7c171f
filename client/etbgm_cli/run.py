"""`etbgm run`: processes video files and writes the result files."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import typer

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_cli import watching
from etbgm_cli.console import EXIT_FAILED, EXPECTED, console, print_error, print_notes, print_warning
from etbgm_cli.delivery import staged
from etbgm_cli.options import labels_of, settings_of
from etbgm_cli.output import check_space
from etbgm_cli.requests import RunRequest
from etbgm_cli.stack import StackOptions, make_private, stack
from etbgm_client import ApiError, AsyncClient
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.models import licences

KEPT_LOGS = 10
"""Number of failed runs whose log folders are kept."""


async def run_here(requests: Sequence[RunRequest], cache: Path) -> None:
    """Starts the stack, runs the jobs and stops the stack. Keeps the logs only if a job fails.

    Raises as `run_there` does, and StackError.
    """
    batch = _Batch(requests)
    batch.check(detach=False, copied_to=(cache, Path(tempfile.gettempdir())))
    async with temporary(cache) as options, _starting(options) as address:
        await batch.run(address, detach=False, logs=options.logs)


async def run_there(requests: Sequence[RunRequest], gateway: str, detach: bool) -> None:
    """Runs the jobs on the gateway at address `gateway`. Ctrl-C cancels the job that is running.

    Raises NotFound, InvalidField, NotEnoughSpace or StorageFull before anything is uploaded, ApiError,
    and OSError. With several videos an error of one is printed, the others follow, and Exit is
    raised at the end.
    """
    batch = _Batch(requests)
    batch.check(detach)
    await batch.run(gateway, detach)


class _Batch:
    """The videos of one call, processed one after the other."""

    def __init__(self, requests: Sequence[RunRequest]) -> None:
        self._requests, self._number = requests, len(requests)
        self._has_failed = False

    def check(self, detach: bool, copied_to: Sequence[Path] = ()) -> None:
        """Checks all requests. Drops those that cannot succeed; raises the error if there is only one.

        `copied_to` are folders that get a copy of each video.
        """
        inputs = [path for request in self._requests for path in request.inputs]
        able = []
        for request in self._requests:
            with self._attempt(request):
                checked = request.checked()
                if not detach:
                    checked.check_output(inputs)
                able.append(checked)
        self._requests = able
        if not able:
            raise typer.Exit(EXIT_FAILED)
        if not detach:
            results = [(request.folder.parent, request.size_bytes) for request in able]
            video_bytes = sum(request.video.stat().st_size for request in able)
            check_space(results + [(folder, video_bytes) for folder in copied_to])

    async def run(self, gateway: str, detach: bool, logs: Path | None = None) -> None:
        """Runs one job after the other. Internal errors name the folder `logs`."""
        async with AsyncClient(gateway) as client:
            for request in self._requests:
                if self._number > 1 and not detach:
                    console.print(str(request.video))
                with self._attempt(request), _naming(logs):
                    await _run(request, client, detach)
        if self._has_failed:
            raise typer.Exit(EXIT_FAILED)

    @contextmanager
    def _attempt(self, request: RunRequest) -> Iterator[None]:
        """With several videos, prints an error that concerns this one, so that the others follow."""
        try:
            yield
        except EXPECTED as error:
            if self._number == 1:
                raise
            self._has_failed = True
            print_error(error, f"{request.video}: ")


@contextmanager
def _naming(logs: Path | None) -> Iterator[None]:
    """Adds `logs`, if given, to the message of an internal error."""
    try:
        yield
    except ApiError as error:
        if error.code != "INTERNAL" or not logs:
            raise
        error.status.message += f": {logs}"
        raise ApiError(error.status) from None


@asynccontextmanager
async def temporary(cache: Path) -> AsyncIterator[StackOptions]:
    """Yields a stack with its own jobs that shares the artifacts in `cache`; removes logs after success."""
    make_private(cache)
    logs = _new_log_folder(cache / "logs")
    with Scratch(None).folder() as data:
        yield StackOptions(
            (cache / "store").resolve().as_uri(), data, logs, print_warning, full_disk_wait_s=0
        )
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


async def _run(request: RunRequest, client: AsyncClient, detach: bool) -> None:
    with console.status("uploading the video"):
        video = await client.upload(request.video)
        settings = await settings_of(request.options, client)
    labels, priority = labels_of(request.options), request.options.priority
    job = await client.create_job(video, settings, labels=labels, priority=priority)
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
    container = job.result.container
    folder, video = request.folder, request.video_to_write(container)
    with staged(folder, video) as new:
        await client.fetch(job.result, new.folder)
        shutil.copyfile(new.folder / f"variant-{request.choose}.{container}", new.video)
    print_notes(job.result.notes, licences.warnings(job.result.engines))
    console.print(f"Wrote {video}; all variants and parts are in {folder}/")
