"""Runs one job through the built images, hardened as on Kubernetes: `python -m … VIDEO`.

Each container runs as nobody, with a read-only file system, without capabilities and without new
privileges, on the host's loopback network. RUNNER is the program, with its options ("podman" by default).
With VARIANT=gpu the images for GPUs take the places of the others, and compute with the embedded engines.
Prints what each container reached, as a table; exits with 1 when anything did not.
"""

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm_cli.options import JobOptions
from etbgm_cli.requests import RunRequest
from etbgm_cli.run import run_there
from tests.servers import free_port

RUNNER = shlex.split(os.environ.get("RUNNER", "podman"))
TAG = os.environ.get("TAG", "0.1.0")
FOR_GPUS = ("stt", "sentiment", "riffusion", "separator") if os.environ.get("VARIANT") == "gpu" else ()
SERVICES = tuple(dict.fromkeys(("stt", "sentiment", "riffusion", "mixer", *FOR_GPUS)))
HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=host")
START_S = 120.0


def say(line: str) -> None:
    """Tells the user at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def image(name: str) -> str:
    """The image of a unit."""
    return f"etbgm-{name}:{TAG}{'-gpu' if name in FOR_GPUS else ''}"


def output(*arguments: str) -> str:
    """What the container runner prints, on either of its outputs; the end when it fails."""
    done = subprocess.run(
        [*RUNNER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{shlex.join([*RUNNER, *arguments])}\n{done.stdout}")
    return done.stdout.strip()


@contextmanager
def container(name: str, shared: Path, settings: dict[str, str]) -> Iterator[str]:
    """The image's container, until the context ends: its id."""
    variables = [f"--env=ETBGM_{key.upper()}={value}" for key, value in settings.items()]
    started = output(
        "run", "--detach", *HARDENED, "--tmpfs=/tmp", f"--volume={shared}:/shared", *variables,
        image(name),
    )  # fmt: skip
    try:
        yield started
    finally:
        output("rm", "--force", "--time=10", started)


async def until_serving(address: str, started: str) -> float:
    """Waits until the server is SERVING; the seconds that it took. Raises TimeoutError with its log."""
    begun = time.monotonic()
    async with grpc.aio.insecure_channel(address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        while time.monotonic() < begun + START_S:
            try:
                answer = await check(health_pb2.HealthCheckRequest(), timeout=2)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return time.monotonic() - begun
            except grpc.aio.AioRpcError:
                pass
            await asyncio.sleep(0.1)
    raise TimeoutError(f"not SERVING after {START_S:.0f} s; its log:\n{output('logs', started)}")


async def check(video: Path, shared: Path, stack: ExitStack) -> None:
    """Starts the containers and runs the job."""
    addresses = {name: f"127.0.0.1:{free_port()}" for name in (*SERVICES, "gateway")}
    common = {"store_url": "file:///shared/store", "work_dir": "/tmp"}
    say("| image | SERVING after | user | root file system |\n|---|---|---|---|")
    for name, address in addresses.items():
        settings = {**common, "listen_address": address}
        if name == "gateway":
            settings |= {f"{service}_address": addresses[service] for service in SERVICES}
            settings |= {"job_store_url": "sqlite:////shared/jobs.sqlite", "uploads_dir": "/shared/uploads"}
        started = stack.enter_context(container(name, shared, settings))
        seconds = await until_serving(address, started)
        user = output("exec", started, "id", "-u")
        writes = subprocess.run(
            [*RUNNER, "exec", started, "touch", "/etbgm/x"], capture_output=True, check=False
        )
        assert user == "10001"
        assert writes.returncode != 0, "the root file system can be written to"
        say(f"| {image(name)} | {seconds:.1f} s | {user} | read-only |")
    result = shared / "out.mp4"
    begun = time.monotonic()
    request = RunRequest(video, result, 1, JobOptions(variants=2))
    await run_there([request], addresses["gateway"], detach=False)
    say(f"\nOne job with 2 variants: {time.monotonic() - begun:.1f} s, {result.stat().st_size} bytes.")


def main() -> None:
    """Checks the images; says so when there is nothing to run them with."""
    if shutil.which(RUNNER[0]) is None:
        say(f"skipped: {RUNNER[0]} is not installed; RUNNER names another program")
        return
    with ExitStack() as stack:
        shared = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        shared.chmod(0o777)
        asyncio.run(check(Path(sys.argv[1]), shared, stack))


if __name__ == "__main__":
    main()
