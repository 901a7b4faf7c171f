"""Settings of the mixer server."""

from pydantic import Field

from etbgm_kit.serving.settings import ModelSettings
from etbgm_mixer.choice import Wanted


class Settings(ModelSettings):
    """ETBGM_MAX_DURATION_S and so on; the rest is common to all servers."""

    max_size_bytes: int = Field(default=8 << 30, gt=0)
    """Largest video."""

    max_duration_s: float = Field(default=3 * 3600.0, gt=0)
    """Longest video; the picture's packets count, not the header."""

    max_pixels: int = Field(default=8192 * 4320, gt=0)
    """Largest picture, width times height."""

    max_streams: int = Field(default=32, gt=0)
    """Most streams in one video."""

    probe_timeout_s: float = Field(default=15.0, gt=0)
    """Time to find out what a video holds."""

    media_timeout_s: float = Field(default=3600.0, gt=0)
    """Time that one run of ffmpeg may take."""

    separation_engine: Wanted = "auto"
    """`rnnoise` is always there; `demucs` parts speech from music better, with `demucs_model`.

    `auto` takes `demucs` where its packages, its weights and a CUDA device are there and the weights'
    licence permits commercial use; that of htdemucs does not.
    """

    demucs_model: str = Field(default="htdemucs", min_length=1)
    """A catalogue name that `etbgm models pull` installed, or a folder with one checkpoint of demucs
    (NAME-CHECKSUM.th)."""
