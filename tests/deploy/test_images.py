"""The Dockerfiles: linted, and alike."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from etbgm_kit.models import catalogue
from tests.deploy.conftest import ROOT

pytestmark = pytest.mark.process

UNITS = {
    "stt": "services/stt",
    "sentiment": "services/sentiment",
    "riffusion": "services/riffusion",
    "mixer": "services/mixer",
    "gateway": "gateway",
    "client": "client",
}


@pytest.mark.parametrize("name", UNITS)
def test_the_linter_finds_nothing(name: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, ROOT / UNITS[name] / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_the_last_stage_is_lean_and_runs_as_nobody(name: str) -> None:
    text = (ROOT / UNITS[name] / "Dockerfile").read_text()
    last = text.split("\nFROM ")[-1]
    assert "pip install" not in last
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" not in text
    program = '"etbgm"' if name == "client" else f'"python", "-m", "etbgm_{name}"'
    assert f"ENTRYPOINT [{program}]" in last
    assert "-c constraints.txt" in text


def test_the_image_of_stt_contains_its_model_where_the_server_looks() -> None:
    text = (ROOT / "services/stt/Dockerfile").read_text()
    last = text.split("\nFROM ")[-1]
    pulled = re.search(r"models pull (\S+) --models-dir (\S+)", text)
    assert pulled
    name, folder = pulled.groups()
    entry = catalogue.find(name)
    assert entry
    assert entry.sha256.keys() >= {"model.bin"}, "each build contains the same weights"
    assert f"COPY --from=models {folder} {folder}\n" in last
    assert f"ENV ETBGM_MODELS_DIR={folder}\n" in last
    assert name in (ROOT / "NOTICE").read_text(), "an image that contains weights passes their notice on"
    assert "COPY NOTICE " in last
