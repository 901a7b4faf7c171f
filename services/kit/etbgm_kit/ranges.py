"""Ranges that the contract states and more than one service checks."""

from etbgm_kit.errors import InvalidField

MIX_RANGES = {
    "target_loudness_lufs": (-31, -9),
    "max_true_peak_dbtp": (-9, 0),
    "speech_to_music_lu": (6, 30),
    "music_lift_db": (0, 15),
    "attack_ms": (10, 2000),
    "hold_ms": (0, 2000),
    "release_ms": (10, 5000),
}
"""Lowest and highest value of each number in mixer.MixSettings. The mixer refuses others,
and so does the gateway, before it queues a job that would fail at its end."""


def check_range(field: str, value: float, lowest: float, highest: float) -> None:
    """Raises InvalidField unless `value` is in [lowest, highest]."""
    # Not-a-number fails this comparison too.
    if not lowest <= value <= highest:
        raise InvalidField(field, f"must be in [{lowest}, {highest}], is {value:g}")
