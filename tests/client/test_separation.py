"""Calling the API needs the stubs and gRPC, and nothing of a server or of the command."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

SERVERS = {"etbgm_kit", "etbgm_gateway", "etbgm_stt", "etbgm_sentiment", "etbgm_riffusion", "etbgm_mixer"}
OTHERS = {"dbos", "sqlalchemy", "psycopg", "numpy", "pydantic", "obstore", "typer", "rich"}


def loaded_by(package: str) -> set[str]:
    code = f"import sys, {package}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_client_loads_no_server_and_none_of_its_libraries() -> None:
    assert not loaded_by("etbgm_client") & (SERVERS | OTHERS | {"etbgm_cli"})


def test_the_command_loads_no_server() -> None:
    loaded = loaded_by("etbgm_cli")
    assert not loaded & (SERVERS - {"etbgm_kit"})
    assert not loaded & {"dbos", "sqlalchemy", "psycopg", "huggingface_hub"}


def test_the_gateway_opens_its_port_without_what_only_results_need() -> None:
    assert not loaded_by("etbgm_gateway.assembly") & {"numpy", "PIL", "pysubs2"}


def test_the_gateway_loads_nothing_of_the_command() -> None:
    loaded = loaded_by("etbgm_gateway.assembly")
    assert not loaded & {"typer", "rich", "huggingface_hub", "etbgm_cli", "etbgm_client"}
