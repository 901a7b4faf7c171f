"""Recognises windows of speech with Whisper, singly or in batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono
from etbgm_kit.types import Segment
from etbgm_stt.alignment import segments_of
from etbgm_stt.doubt import is_doubtful
from etbgm_stt.languages import code_of, tag_of
from etbgm_stt.types import Language, Recognised
from etbgm_stt.windows import WINDOW_S, Window

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment as WhisperSegment

PLACE_S = WINDOW_S + 1
"""Distance between windows of a batch, because faster-whisper rounds them up to whole seconds."""

Task = Literal["transcribe", "translate"]


@dataclass(frozen=True)
class Heard:
    """What Whisper found in a window whose sound begins at `offset_s`."""

    window: Window
    offset_s: float
    found: tuple["WhisperSegment", ...]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What was probably said, by piece of speech."""
        words = [word for one in self.found if not is_doubtful(one) for word in one.words or ()]
        return segments_of(self.window, words, self.offset_s)

    @property
    def doubtful_s(self) -> float:
        """Seconds in which something was found that was probably not said."""
        return sum(float(one.end - one.start) for one in self.found if is_doubtful(one))


def detect_language(model: "WhisperModel", window: Window) -> Language:
    """Returns the language of the window and its probability."""
    # The same features as in the recognition that follows, so that the encoder runs once.
    features = model.feature_extractor(window.samples)[..., :-1]
    code, probability, _ = model.detect_language(features=features)
    return Language(tag_of(code), probability)


def hear(
    model: "WhisperModel",
    beam_size: int,
    windows: list[tuple[Window, Language]],
    needs_english: Callable[[str], bool],
) -> Iterator[Recognised]:
    """Yields what is said in each window in its language and, where needed, in English."""
    alike = len({language.tag for _, language in windows}) == 1
    batches = [windows] if alike else [[one] for one in windows]
    for batch in batches:
        language = batch[0][1]
        batch_windows = [window for window, _ in batch]
        spoken = _run(model, beam_size, batch_windows, language.tag, "transcribe")
        english = needs_english(language.tag)
        translated = _run(model, beam_size, batch_windows, language.tag, "translate") if english else []
        for i, one in enumerate(spoken):
            translation = translated[i].segments if english else ()
            yield Recognised(one.window.end_s, one.segments, batch[i][1], translation, one.doubtful_s)


def _run(
    model: "WhisperModel", beam_size: int, windows: list[Window], language: str, task: Task
) -> list[Heard]:
    from faster_whisper import BatchedInferencePipeline

    sound, clips = _side_by_side(windows)
    # A pipeline keeps the end of the last word, so each call creates its own.
    segments, _ = BatchedInferencePipeline(model).transcribe(
        sound,
        language=code_of(language),
        task=task,
        beam_size=beam_size,
        batch_size=len(windows),
        clip_timestamps=clips,
        word_timestamps=True,
    )
    found: list[list[WhisperSegment]] = [[] for _ in windows]
    for segment in segments:
        found[int(segment.start // PLACE_S)].append(segment)
    return [Heard(window, i * PLACE_S, tuple(found[i])) for i, window in enumerate(windows)]


def _side_by_side(windows: list[Window]) -> tuple[Mono, list[dict[str, float]]]:
    """Returns the windows' sound, one per PLACE_S, and their positions for faster-whisper."""
    sound = np.zeros(round(len(windows) * PLACE_S * SAMPLE_RATE_HZ), np.float32)
    clips = []
    for place, window in enumerate(windows):
        samples = window.samples
        first = round(place * PLACE_S * SAMPLE_RATE_HZ)
        sound[first : first + len(samples)] = samples
        clips.append({"start": place * PLACE_S, "end": place * PLACE_S + len(samples) / SAMPLE_RATE_HZ})
    return sound, clips
