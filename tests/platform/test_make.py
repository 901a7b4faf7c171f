"""The Makefile asks for the speech model where the product itself looks for it."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from etbgm_kit.models import catalogue
from etbgm_kit.models.folders import RECORD
from etbgm_kit.serving.settings import default_models_dir

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PULL = re.compile(r"^test -f .*models pull .*$", re.MULTILINE)


def pull_command(target: str) -> str:
    """The command by which the target gets the model."""
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    (command,) = PULL.findall(done.stdout)
    return str(command)


@pytest.mark.parametrize("target", ["demo", "drill", "test", "test-embedded"])
def test_a_target_that_recognises_speech_pulls_the_model(target: str) -> None:
    words = shlex.split(pull_command(target))
    assert words[-3:-1] == ["models", "pull"]
    assert catalogue.find(words[-1])


@pytest.mark.parametrize(
    "settings",
    [{"HOME": "/home/a b"}, {"XDG_DATA_HOME": "/data"}, {"ETBGM_MODELS_DIR": "/srv/models"}],
    ids=lambda settings: next(iter(settings)),
)
def test_the_model_is_looked_for_in_the_models_folder(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    for name in ("XDG_DATA_HOME", "ETBGM_MODELS_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    folder = Path(os.environ.get("ETBGM_MODELS_DIR") or default_models_dir())
    words = shlex.split(pull_command("demo"))
    assert words[:3] == ["test", "-f", str(folder / words[-1] / RECORD)]


def test_nothing_is_pulled_when_the_model_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETBGM_MODELS_DIR", str(tmp_path))
    command = pull_command("demo").replace(".venv/bin/etbgm", "echo")
    told = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
    assert told.startswith("models pull ")
    (tmp_path / told.split()[-1]).mkdir()
    (tmp_path / told.split()[-1] / RECORD).write_text("{}")
    assert subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout == ""
