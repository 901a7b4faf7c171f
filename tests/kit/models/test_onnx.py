"""Opening ONNX models on devices."""

from pathlib import Path

import pytest

from etbgm_kit.models.onnx import NoCuda, cuda_available, open_session


def test_cuda_that_is_not_there_is_said(tmp_path: Path) -> None:
    if cuda_available():
        pytest.skip("onnxruntime has CUDA here")
    with pytest.raises(NoCuda, match="onnxruntime-gpu"):
        open_session(tmp_path / "model.onnx", 1, "cuda")
