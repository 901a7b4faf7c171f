"""schemathesis calls every operation that /openapi.json describes, with values that fit and that do not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.conftest import Gateway

pytestmark = pytest.mark.drill

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)


def test_no_response_is_undeclared(http_gateway: tuple[Gateway, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{http_gateway[1]}/openapi.json"]
    command += ["--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--seed", "1"]
    command += ["--max-examples", "5", "--request-timeout", "20", "--generation-database", "none"]
    project = Path(__file__).parents[3]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.gateway.http.schemathesis_hooks", "PYTHONPATH": str(project)}
    # It keeps a folder of its own where it runs.
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **hooks}, cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stdout[-6000:]
    assert re.search(r"([1-9]\d{2,}) generated, \1 passed", ran.stdout), ran.stdout[-1000:]
