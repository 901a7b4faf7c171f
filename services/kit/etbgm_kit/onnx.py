"""ONNX models, opened the same way everywhere."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime


def open_session(model: Path, threads: int) -> "onnxruntime.InferenceSession":
    """The model on the CPU, with so many threads.

    The official builds report every session to their maker since version 1.29, unless
    told not to before they are loaded; nothing of a user's work leaves this machine.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = threads
    # The arena keeps the largest batch's memory for ever and wins no time here.
    options.enable_cpu_mem_arena = False
    # Spinning threads take a core from the services beside this one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
