"""`etbgm doctor`: shows what is installed, which engine each service uses and why, and improvements."""

import asyncio
import os
import platform
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import typer

from etbgm_cli.console import EXIT_FAILED, console
from etbgm_cli.plain import labelled
from etbgm_cli.stack import SERVICES
from etbgm_kit.models import catalogue, cuda, folders
from etbgm_kit.serving.diagnosis import Diagnosis
from etbgm_kit.serving.settings import default_models_dir

TIMEOUT_S = 60.0
"""Per service. A diagnosis takes a second or two unless a library hangs."""


async def examine() -> None:
    """Prints the findings. Exits with 1 when a service cannot run."""
    diagnoses = await asyncio.gather(*map(_ask, SERVICES))
    for name, value in _machine():
        console.print(f"{name:<11}{value}")
    for service, diagnosis in zip(SERVICES, diagnoses, strict=True):
        console.print()
        _print(service, diagnosis)
    problem = _gateway_problem()
    console.print()
    _print_engine("gateway", problem, "" if problem else f"dbos {version('dbos')}")
    if problem or any(diagnosis.problem for diagnosis in diagnoses):
        raise typer.Exit(EXIT_FAILED)


def _machine() -> list[tuple[str, str]]:
    models_dir = Path(os.environ.get("ETBGM_MODELS_DIR") or default_models_dir())
    models = [entry.name for entry in catalogue.entries() if folders.installed(models_dir, entry.name)]
    return [
        ("ET-BGM", version("etbgm-client")),
        ("Python", f"{platform.python_version()} ({sys.executable})"),
        ("system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"),
        ("CUDA", "a device was found" if cuda.has_device() else "no device was found"),
        ("models", f"{', '.join(models) or 'none installed'} ({models_dir})"),
    ]


async def _ask(service: str) -> Diagnosis:
    """The diagnosis that the service's own packages make, in a separate process."""
    if not find_spec(f"etbgm_{service}"):
        return Diagnosis(problem=f"not installed: pip install -c constraints.txt ./services/{service}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"etbgm_{service}.doctor"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        answer, said = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return Diagnosis(problem=f"did not answer within {TIMEOUT_S:.0f} s")
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        return Diagnosis(problem=lines[-1] if lines else f"ended with status {process.returncode}")
    return Diagnosis.model_validate_json(answer)


def _print(service: str, diagnosis: Diagnosis) -> None:
    chosen = f"{diagnosis.engine} on {diagnosis.device}: {diagnosis.reason}"
    _print_engine(service, diagnosis.problem, chosen)
    for line in diagnosis.advice:
        console.print(f"  better   {line}")
    found = [f"{part.name} {part.found}" for part in diagnosis.parts if part.found]
    missing = [part.name for part in diagnosis.parts if not part.found]
    for label, names in (("found", found), ("missing", missing)):
        if names:
            console.print(f"  {label:<9}{', '.join(names)}")


def _print_engine(service: str, problem: str, chosen: str) -> None:
    state = labelled("cannot run: ", "red", problem) if problem else labelled("", "", chosen)
    console.print(labelled(f"{service:<11}", "bold", "").append_text(state))


def _gateway_problem() -> str:
    """The gateway's problem or "". It selects no engine, so only its packages must be installed."""
    if find_spec("etbgm_gateway") and find_spec("dbos"):
        return ""
    return "not installed: pip install -c constraints.txt ./gateway"
