"""Opens ONNX models with the same options in every service."""

import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from etbgm_kit.models.cuda import Device, has_device

if TYPE_CHECKING:
    import onnxruntime

_PROVIDERS = {
    "cpu": ["CPUExecutionProvider"],
    "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"],
}


class NoCuda(RuntimeError):
    """CUDA was requested but is not available."""

    def __init__(self) -> None:
        super().__init__(
            "onnxruntime cannot compute on CUDA here: it needs onnxruntime-gpu, CUDA and a device"
        )


def cuda_available() -> bool:
    """Whether the installed onnxruntime was built for CUDA and the driver has a device."""
    return "CUDAExecutionProvider" in _onnxruntime().get_available_providers() and has_device()


def open_session(model: Path, threads: int, device: Device = "cpu") -> "onnxruntime.InferenceSession":
    """Opens the model on the CPU, with `threads` threads, or on the first CUDA device.

    Raises:
        NoCuda: CUDA is not available; onnxruntime itself would silently use the CPU.
    """
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = threads
    # The arena never releases the largest batch's memory and saves no time here.
    options.enable_cpu_mem_arena = False
    # Spinning threads take cores from other services on the same machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if device == "cuda":
        if not cuda_available():
            raise NoCuda
        # CUDA's libraries may be in wheels, which the linker does not search.
        onnxruntime.preload_dlls()
    session = onnxruntime.InferenceSession(model, options, providers=_PROVIDERS[device])
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        raise NoCuda
    return session


def _onnxruntime() -> ModuleType:
    """Imports the library with telemetry disabled.

    Since version 1.29 the official builds report every session to their maker unless this
    variable is set before the import. No data about a user's work may leave this machine.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        return importlib.import_module("onnxruntime")
    except ModuleNotFoundError as error:
        raise RuntimeError("onnxruntime is not installed; the extra `cpu` or `cuda` brings it") from error
