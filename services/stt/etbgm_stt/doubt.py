"""What Whisper may have invented over music, noise and silence, by the measures that it gives itself."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faster_whisper.transcribe import Segment as WhisperSegment

NO_SPEECH, UNLIKELY = 0.6, -1.0
"""Whisper's own thresholds (Radford et al. 2022, section 4.5): probability of silence, and mean
log-probability of the tokens."""

REPETITIVE = 4.0
"""Ratio of the text's length to its length compressed by zlib. Whisper tries again above 2.4, which sentences
that are said three times reach; a decoder that repeats itself until its limit reaches 6 to 12."""


def is_doubtful(segment: "WhisperSegment") -> bool:
    """Whether the segment's text was probably not said."""
    silent = segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < UNLIKELY
    return bool(silent or segment.compression_ratio > REPETITIVE)
