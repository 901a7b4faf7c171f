"""Settings of the speech-to-text server."""

import os
from typing import Literal

from pydantic import Field

from etbgm_kit.serving.settings import ModelSettings
from etbgm_stt.choice import AUTO

ComputeType = Literal[
    "auto", "int8", "int8_float16", "int8_float32", "int8_bfloat16", "float16", "bfloat16", "float32"
]


def _free_cores() -> int:
    return min(len(os.sched_getaffinity(0)), 4)


class Settings(ModelSettings):
    """ETBGM_WHISPER_MODEL and so on; the other settings are common to all servers."""

    whisper_threads: int = Field(default_factory=_free_cores, ge=1)
    """Number of threads per slot; by default as many as there are cores, at most 4."""

    whisper_model: str = Field(default=AUTO, min_length=1)
    """The name of a model installed with `etbgm models pull`, or a folder from `python -m etbgm_stt.convert`.

    `auto` selects the best installed model for the device; see `etbgm_stt.choice`.
    """

    whisper_beam_size: int = Field(default=5, ge=1, le=20)
    """Number of alternatives that the beam search follows; 1 is fastest."""

    whisper_batch_size: int | None = Field(default=None, ge=1, le=64)
    """Number of 30 s windows recognised together; by default 8 on CUDA and 1 on the CPU."""

    whisper_compute_type: ComputeType = "auto"
    """The type that CTranslate2 computes with; `auto` is int8 on the CPU and float16 on CUDA."""
