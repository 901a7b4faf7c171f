"""A Whisper model for transformers becomes one for faster-whisper, offline."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.models.folders import BrokenModel
from etbgm_stt.convert import NEEDED, convert
from etbgm_stt.whisper_model import WhisperParams, load_whisper

OFFLINE_PROXY = "http://127.0.0.1:9"
"""Nobody listens there, so any use of the network would fail."""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "https_proxy": OFFLINE_PROXY, "http_proxy": OFFLINE_PROXY}
    command = [sys.executable, "-m", "etbgm_stt.convert", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_the_converted_model_computes_the_same(source: Path, tmp_path: Path) -> None:
    import torch
    from transformers import WhisperForConditionalGeneration

    convert(source, tmp_path, "float32")
    model = load_whisper(WhisperParams("made", tmp_path, compute_type="float32"))
    features = np.random.default_rng(1).normal(0, 0.5, (1, 80, 3000)).astype(np.float32)
    with torch.no_grad():
        original = WhisperForConditionalGeneration.from_pretrained(source)
        wanted = original.model.encoder(torch.from_numpy(features)).last_hidden_state.numpy()
    np.testing.assert_allclose(np.asarray(model.encode(features[0])), wanted, atol=1e-3)
    assert model.model.is_multilingual
    probabilities = dict(model.model.detect_language(model.encode(features[0]))[0])
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert {"<|en|>", "<|de|>"} < set(probabilities)


def test_the_command_writes_int8_offline(source: Path, tmp_path: Path) -> None:
    done = run(source, tmp_path / "int8")
    assert done.returncode == 0, done.stderr
    load_whisper(WhisperParams("int8", tmp_path / "int8"))
    size = (tmp_path / "int8/model.bin").stat().st_size
    assert size < 0.6 * (source / "model.safetensors").stat().st_size


@pytest.mark.parametrize("missing", [*NEEDED, "model.safetensors"])
def test_what_is_not_whole_is_refused(source: Path, tmp_path: Path, missing: str) -> None:
    (tmp_path / "half").mkdir()
    for path in source.iterdir():
        if path.name != missing:
            (tmp_path / "half" / path.name).symlink_to(path)
    with pytest.raises(BrokenModel, match=missing.removeprefix("model")):
        convert(tmp_path / "half", tmp_path / "made", "int8")
    assert not (tmp_path / "made").exists()


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, tmp_path / "made")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"the model in {tmp_path} cannot be used: missing or empty: config.json")
