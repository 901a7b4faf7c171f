"""Settings of the mixer server."""

from pydantic import Field

from etbgm_kit.ranges import LARGEST_VIDEO_BYTES
from etbgm_kit.serving.settings import ModelSettings
from etbgm_mixer.choice import Wanted


class Settings(ModelSettings):
    """ETBGM_MAX_DURATION_S and so on; the other settings are common to all servers."""

    max_size_bytes: int = Field(default=LARGEST_VIDEO_BYTES, gt=0)
    """Maximum size of a video in bytes."""

    max_duration_s: float = Field(default=3 * 3600.0, gt=0)
    """Maximum duration of a video in seconds, measured from its packets, not its header."""

    max_pixels: int = Field(default=8192 * 4320, gt=0)
    """Maximum picture size, width times height."""

    max_streams: int = Field(default=32, gt=0)
    """Maximum number of streams in one video."""

    probe_timeout_s: float = Field(default=15.0, gt=0)
    """Timeout in seconds for probing a video."""

    media_timeout_s: float = Field(default=3600.0, gt=0)
    """Timeout in seconds for one run of ffmpeg."""

    separation_engine: Wanted = "auto"
    """`deepfilternet` is always available; `demucs` needs the weights `demucs_model`.

    `auto` selects `demucs` if its packages, its weights and a CUDA device are available and the weights'
    licence permits commercial use; that of htdemucs does not.
    """

    demucs_model: str = Field(default="htdemucs", min_length=1)
    """The name of a model installed with `etbgm models pull`, or a folder with one demucs checkpoint
    (NAME-CHECKSUM.th)."""
