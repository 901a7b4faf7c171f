"""`etbgm doctor` as a user runs it: the command and the services' own processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from etbgm_cli.stack import SERVICES
from etbgm_kit.models.folders import RECORD
from etbgm_kit.serving.diagnosis import Diagnosis

pytestmark = pytest.mark.process

COMMAND = [sys.executable, "-c", "from etbgm_cli import main; main()", "doctor"]


def doctor(models_dir: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    settings = {"ETBGM_MODELS_DIR": str(models_dir), **environment}
    return subprocess.run(
        COMMAND, env={**os.environ, **settings}, capture_output=True, text=True, timeout=120, check=False
    )


def installed(models_dir: Path, name: str) -> None:
    """A folder that looks like an installed model: doctor loads no weights."""
    (models_dir / name).mkdir(parents=True)
    (models_dir / name / RECORD).write_text("{}")


def test_each_service_is_shown_with_its_engine_and_what_would_improve_it(tmp_path: Path) -> None:
    installed(tmp_path, "whisper-base")
    done = doctor(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines() if line and line[0] != " "] == [
        "ET-BGM", "Python", "system", "CUDA", "models", *SERVICES, "gateway",
    ]  # fmt: skip
    for command in ("whisper-small", "riffusion-model-v1", "htdemucs"):
        assert f"`etbgm models pull {command}`" in done.stdout
    assert "ffmpeg " in done.stdout


def test_without_a_speech_model_the_command_that_gets_one_is_named(tmp_path: Path) -> None:
    done = doctor(tmp_path)
    assert done.returncode == 1
    assert "none installed" in done.stdout
    assert (
        "stt        cannot run: no Whisper model is installed; get one with `etbgm models pull" in done.stdout
    )


def test_an_installed_model_changes_what_auto_takes(tmp_path: Path) -> None:
    installed(tmp_path, "whisper-small")
    output = doctor(tmp_path).stdout
    assert f"models     whisper-small ({tmp_path})" in output
    assert "stt        faster-whisper (whisper-small) on cpu: whisper-small is the preferred" in output
    assert "pull whisper" not in output


def test_a_service_that_cannot_run_is_a_problem_of_its_own(tmp_path: Path) -> None:
    done = doctor(tmp_path, ETBGM_RIFFUSION_ENGINE="riffusion", ETBGM_SOUNDFONT=str(tmp_path / "none.sf2"))
    assert done.returncode == 1
    (problem,) = (line for line in done.stdout.splitlines() if "cannot run" in line and "riffusion" in line)
    assert f"no SoundFont at {tmp_path}/none.sf2" in problem
    assert "missing  synthesiser, SoundFont" in done.stdout
    assert "mixer      deepfilternet on cpu" in done.stdout


def test_without_ffmpeg_the_mixer_names_the_package(tmp_path: Path) -> None:
    done = doctor(tmp_path, PATH=str(tmp_path))
    assert done.returncode == 1
    assert "mixer      cannot run: ffmpeg and ffprobe cannot be run: install the Debian" in done.stdout
    assert "missing  ffmpeg, ffprobe" in done.stdout


def test_bad_settings_are_named_by_the_service_that_reads_them(tmp_path: Path) -> None:
    done = doctor(tmp_path, ETBGM_WHISPER_BEAM_SIZE="many")
    assert done.returncode == 1
    assert "stt        cannot run: ETBGM_WHISPER_BEAM_SIZE" in done.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_answers_without_loading_a_model(service: str, tmp_path: Path) -> None:
    for name in ("whisper-small", "emotion-english-distilroberta", "riffusion-model-v1", "htdemucs"):
        installed(tmp_path, name)
    done = subprocess.run(
        [sys.executable, "-m", f"etbgm_{service}.doctor"],
        env={**os.environ, "ETBGM_MODELS_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    diagnosis = Diagnosis.model_validate_json(done.stdout)
    assert diagnosis.engine
    assert diagnosis.reason
    assert not diagnosis.problem
    assert diagnosis.parts
