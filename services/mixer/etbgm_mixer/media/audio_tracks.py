"""Chooses the audio tracks that carry the voice."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from etbgm_kit.errors import InvalidField
from etbgm_kit.media.vad import SAMPLE_RATE_HZ, SpeechDetector
from etbgm_mixer.media import commands, ffmpeg
from etbgm_mixer.media.extract import has_no_layout
from etbgm_mixer.types import AudioStream, MediaFacts, TrackChoice

MUCH_MORE = 2.0
"""Another track replaces the default one if it has this many times its speech, and LEAST_S more."""

LEAST_S = 1.0


def choose(
    video: Path, facts: MediaFacts, wanted: TrackChoice, timeout_s: float
) -> tuple[tuple[AudioStream, ...], tuple[str, ...]]:
    """Returns the streams whose sum is the video's sound, and notes; no streams without sound.

    Of several tracks, it is the default one, unless another has much more speech. Raises InvalidField
    if the wanted track does not exist, TimeoutError.
    """
    if facts.audio is None:
        return (), ()
    tracks = sorted((facts.audio, *facts.other_audio), key=lambda stream: stream.index)
    notes = tuple(_layout_note(stream) for stream in tracks if has_no_layout(stream))
    if wanted.number is not None:
        if wanted.number > len(tracks):
            raise InvalidField("audio_track", f"is {wanted.number}, but the video has {len(tracks)}")
        return (tracks[wanted.number - 1],), notes
    if wanted.mix or len(tracks) == 1:
        return tuple(tracks), notes
    spoken_s = {stream.index: _speech_s(video, stream, timeout_s) for stream in tracks}
    best = max(tracks, key=lambda stream: spoken_s[stream.index])
    least_s = MUCH_MORE * spoken_s[facts.audio.index] + LEAST_S
    chosen = best if spoken_s[best.index] > least_s else facts.audio
    number = tracks.index(chosen) + 1
    reason = "the default one" if chosen is facts.audio else "because it has the most speech"
    return (chosen,), (*notes, f"Of {len(tracks)} audio tracks, number {number} was used, {reason}.")


def with_audio(facts: MediaFacts, chosen: AudioStream) -> MediaFacts:
    """Returns `facts` with `chosen` as the stream to use."""
    assert facts.audio is not None
    others = tuple(stream for stream in (facts.audio, *facts.other_audio) if stream != chosen)
    return replace(facts, audio=chosen, other_audio=others)


def _layout_note(stream: AudioStream) -> str:
    return (
        f"A track has {stream.channels} channels without a layout: "
        "odd channels were mixed to the left and even ones to the right."
    )


def _speech_s(video: Path, stream: AudioStream, timeout_s: float) -> float:
    """Returns for how long someone speaks in the louder channel of each second of the stream."""
    source = commands.source(video)[str(stream.index)]
    form = {"ac": 2, "ar": SAMPLE_RATE_HZ, "f": "f32le"}
    detector = SpeechDetector()
    spans = []
    for block in ffmpeg.samples(commands.piping(source, **form), 2, SAMPLE_RATE_HZ, timeout_s):
        spans += detector.feed(block[:, np.square(block).sum(axis=0).argmax()])
    return sum(span.duration_s for span in [*spans, *detector.finish()])
