"""Settings of the speech to text server."""

import os
from typing import Literal

from pydantic import Field

from etbgm_kit.serving.settings import ModelSettings
from etbgm_stt.choice import AUTO, Wanted

ComputeType = Literal[
    "auto", "int8", "int8_float16", "int8_float32", "int8_bfloat16", "float16", "bfloat16", "float32"
]


def _free_cores() -> int:
    return min(len(os.sched_getaffinity(0)), 4)


class Settings(ModelSettings):
    """ETBGM_STT_ENGINE and so on; the rest is common to all servers."""

    stt_engine: Wanted = "auto"
    """`auto` takes faster-whisper when there is a model for it, else pocketsphinx, which needs none."""

    decoders: int = Field(default_factory=_free_cores, ge=1)
    """Cores that recognise speech, at most 4 by default: processes of pocketsphinx, about 150 MB each,
    or threads of faster-whisper for each slot."""

    whisper_model: str = Field(default=AUTO, min_length=1)
    """What `etbgm models pull` installed, by name, or a folder that `python -m etbgm_stt.convert` wrote.

    `auto` takes the best for the device of those installed; see `etbgm_stt.choice`.
    """

    whisper_beam_size: int = Field(default=5, ge=1, le=20)
    """Alternatives that are followed; 1 is fastest."""

    whisper_batch_size: int | None = Field(default=None, ge=1, le=64)
    """Windows of 30 s that are recognised together; by default 8 on CUDA and 1 on the CPU."""

    whisper_compute_type: ComputeType = "auto"
    """What CTranslate2 computes with; `auto` is int8 on the CPU and float16 on CUDA."""
