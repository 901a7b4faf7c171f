"""What Whisper may have invented over music, noise and silence, by the measures that it gives itself."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faster_whisper.transcribe import Segment as WhisperSegment

NO_SPEECH, UNLIKELY, REPETITIVE = 0.6, -1.0, 2.4
"""Whisper's own thresholds (Radford et al. 2022, section 4.5): probability of silence, mean log-probability
of the tokens, and ratio of the text's length to its length compressed by zlib."""


def is_doubtful(segment: "WhisperSegment") -> bool:
    """Whether the segment's text was probably not said."""
    silent = segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < UNLIKELY
    return bool(silent or segment.compression_ratio > REPETITIVE)
