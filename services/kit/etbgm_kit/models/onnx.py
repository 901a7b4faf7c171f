"""ONNX models, opened the same way everywhere."""

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
    """CUDA was asked for and cannot be had."""

    def __init__(self) -> None:
        super().__init__(
            "onnxruntime cannot compute on CUDA here: it needs onnxruntime-gpu, CUDA and a device"
        )


def cuda_available() -> bool:
    """Whether the installed onnxruntime was built for CUDA and the driver has a device."""
    return "CUDAExecutionProvider" in _onnxruntime().get_available_providers() and has_device()


def open_session(model: Path, threads: int, device: Device = "cpu") -> "onnxruntime.InferenceSession":
    """The model on the CPU, with so many threads, or on the first CUDA device.

    Raises:
        NoCuda: there is none; onnxruntime itself would say nothing and take the CPU.
    """
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = threads
    # The arena keeps the largest batch's memory for ever and wins no time here.
    options.enable_cpu_mem_arena = False
    # Spinning threads take a core from the services beside this one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if device == "cuda":
        if not cuda_available():
            raise NoCuda
        # CUDA's libraries may come from wheels, where the linker does not look.
        onnxruntime.preload_dlls()
    session = onnxruntime.InferenceSession(model, options, providers=_PROVIDERS[device])
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        raise NoCuda
    return session


def _onnxruntime() -> ModuleType:
    """The library, with its reports off.

    The official builds report every session to their maker since version 1.29, unless
    told not to before they are loaded; nothing of a user's work leaves this machine.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        return importlib.import_module("onnxruntime")
    except ModuleNotFoundError as error:
        raise RuntimeError("onnxruntime is not installed; the extra `cpu` or `cuda` brings it") from error
