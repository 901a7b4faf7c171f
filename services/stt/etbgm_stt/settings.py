"""Settings of the speech to text server."""

import os

from pydantic import Field

from etbgm_kit.settings import ServiceSettings


def _free_cores() -> int:
    return min(len(os.sched_getaffinity(0)), 4)


class Settings(ServiceSettings):
    """ETBGM_DECODERS and so on; the rest is common to all servers."""

    decoders: int = Field(default_factory=_free_cores, ge=1)
    """Processes that recognise speech, about 150 MB each; one per core, at most 4, by default."""
