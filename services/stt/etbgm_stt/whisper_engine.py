"""Speech to text by Whisper (Radford et al. 2022), run by faster-whisper on CTranslate2.

Speech is divided at pauses into windows, which are recognised singly or in batches. No state
passes from one window to the next, so memory use does not grow with the sound, errors do
not spread, and the caller may stop after each window.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from etbgm_kit.artifacts.revision import revision_of, version_of
from etbgm_kit.errors import InvalidField, NotReady
from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono, model_sha256
from etbgm_kit.models.catalogue import ingredient
from etbgm_kit.types import EngineInfo, Segment, Span, Transcript, Word
from etbgm_stt import windows
from etbgm_stt.languages import code_of, must_translate, tag_of
from etbgm_stt.speech import find_speech
from etbgm_stt.types import UNDETERMINED, Language, Recognised
from etbgm_stt.whisper_model import WhisperParams, hash_of, languages_of, load_whisper
from etbgm_stt.windows import WINDOW_S, Window

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment as WhisperSegment

DETECT_S = 10.0
"""Seconds of speech that determine the language, or all speech if there is less."""

DOUBTFUL_PROBABILITY = 0.5
"""Probability of the language below which a note warns the user."""

NO_SPEECH, UNLIKELY = 0.6, -1.0
"""Whisper's own thresholds for dropping segments: probability of silence and mean log-probability."""

PLACE_S = WINDOW_S + 1
"""Distance between windows of a batch, because faster-whisper rounds them up to whole seconds."""


class WhisperRecogniser:
    """Detects the language if none is requested, and transcribes or translates to English."""

    def __init__(self, params: WhisperParams) -> None:
        self._params = params
        self._model: WhisperModel | None = None
        self._revision = ""

    @property
    def engine(self) -> EngineInfo:
        """The model; the revision covers its files and computing parameters. Raises NotReady."""
        if not self._revision:
            raise NotReady
        device = "cuda:0" if self._params.device == "cuda" else "cpu"
        ingredients = ingredient(self._params.name, str(self._params.folder)), ingredient("silero-vad")
        return EngineInfo("faster-whisper", self._revision, device, ingredients)

    def load(self) -> None:
        """Loads the model. Raises BrokenModel."""
        params = self._params
        self._model = load_whisper(params)
        # Threads and workers only distribute the same computation.
        computed = params.device, params.compute_type, params.beam_size, params.batch_windows
        facts = params.name, hash_of(params.folder), computed, model_sha256(), version_of("ctranslate2")
        self._revision = revision_of(__name__, facts=facts)

    def notes(self, transcript: Transcript) -> tuple[str, ...]:
        """Returns none: notes about the language come with it."""
        return ()

    def recognise(
        self, blocks: Iterable[Mono], language: str | None, readable: frozenset[str]
    ) -> Iterator[Recognised | Language]:
        """See `Recogniser`."""
        model = self._loaded
        readable = readable if self._params.translates else frozenset()
        code = self._code(model, language)
        if code:
            yield _written(code, language, readable)
        waiting: list[Window] = []
        for taken_s, found in windows.gather(find_speech(blocks, windows.PIECES)):
            waiting += found
            if not code and sum(window.speech_s for window in waiting) >= DETECT_S:
                code, decided = _detected(model, waiting, readable)
                yield decided
            while code and len(waiting) >= self._params.batch_windows:
                yield from self._hear(model, _take(waiting, self._params.batch_windows), code, readable)
            yield Recognised(waiting[0].span.start_s if waiting else taken_s)
        if not code:
            code, decided = _detected(model, waiting, readable) if waiting else ("en", Language(UNDETERMINED))
            yield decided
        while waiting:
            yield from self._hear(model, _take(waiting, self._params.batch_windows), code, readable)

    def close(self) -> None:
        """Frees the model as soon as no call uses it."""
        self._model = None

    @property
    def _loaded(self) -> "WhisperModel":
        if self._model is None:
            raise NotReady
        return self._model

    def _code(self, model: "WhisperModel", asked: str | None) -> str | None:
        """Returns Whisper's code for the requested language; None if it must be detected."""
        if not model.model.is_multilingual:
            asked = asked or "en"
        known = languages_of(model)
        if asked and code_of(asked) not in known:
            what = "English only" if known == ["en"] else f"{len(known)} languages"
            raise InvalidField(
                "language", f"{self._params.name} knows {what}, not {asked}; give captions, or another model"
            )
        return code_of(asked) if asked else None

    def _hear(
        self, model: "WhisperModel", batch: list[Window], code: str, readable: frozenset[str]
    ) -> Iterator[Recognised]:
        from faster_whisper import BatchedInferencePipeline

        sound, clips = _side_by_side(batch)
        # A pipeline keeps the end of the last word, so each call creates its own.
        segments, _ = BatchedInferencePipeline(model).transcribe(
            sound,
            language=code,
            task="translate" if must_translate(code, readable) else "transcribe",
            beam_size=self._params.beam_size,
            batch_size=len(batch),
            clip_timestamps=clips,
            word_timestamps=True,
        )
        words: list[list[tuple[str, Span, float]]] = [[] for _ in batch]
        for segment in segments:
            place = int(segment.start // PLACE_S)
            words[place] += _words(segment, batch[place], place * PLACE_S)
        for window, said in zip(batch, words, strict=True):
            yield from _heard(window, said)


def _take(waiting: list[Window], count: int) -> list[Window]:
    taken, waiting[:count] = waiting[:count], []
    return taken


def _written(code: str, asked: str | None, readable: frozenset[str]) -> Language:
    spoken = asked or tag_of(code)
    if not must_translate(code, readable):
        return Language(spoken)
    return Language("en", (f"The speech was translated from another language ({spoken}) to English.",))


def _detected(
    model: "WhisperModel", waiting: Sequence[Window], readable: frozenset[str]
) -> tuple[str, Language]:
    speech = np.concatenate([piece.samples for window in waiting for piece in window.pieces])
    code, probability, _ = model.detect_language(speech[: round(WINDOW_S * SAMPLE_RATE_HZ)])
    language = _written(code, None, readable)
    if probability < DOUBTFUL_PROBABILITY:
        doubt = f"The language of the speech is uncertain; {tag_of(code)} was assumed."
        language = Language(language.written, (*language.notes, doubt))
    return code, language


def _side_by_side(batch: list[Window]) -> tuple[Mono, list[dict[str, float]]]:
    """Returns the windows' sound, one per PLACE_S, and their positions for faster-whisper."""
    sound = np.zeros(round(len(batch) * PLACE_S * SAMPLE_RATE_HZ), np.float32)
    clips = []
    for place, window in enumerate(batch):
        samples = window.samples[: round(WINDOW_S * SAMPLE_RATE_HZ)]
        first = round(place * PLACE_S * SAMPLE_RATE_HZ)
        sound[first : first + len(samples)] = samples
        clips.append({"start": place * PLACE_S, "end": place * PLACE_S + len(samples) / SAMPLE_RATE_HZ})
    return sound, clips


def _words(segment: "WhisperSegment", window: Window, offset_s: float) -> Iterator[tuple[str, Span, float]]:
    """Yields each word as written, with spaces, its time in the media and its probability."""
    if segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < UNLIKELY:
        return
    begin_s = window.span.start_s - offset_s
    for word in segment.words or ():
        if word.word.strip():
            start_s, end_s = float(word.start) + begin_s, float(word.end) + begin_s
            yield word.word, Span(start_s, max(start_s, end_s)), min(1.0, float(word.probability))


def _heard(window: Window, said: list[tuple[str, Span, float]]) -> Iterator[Recognised]:
    """Yields a segment for each piece of speech with words, then the end of the window."""
    by_piece: dict[Span, list[tuple[str, Word]]] = {}
    left = [piece.span for piece in window.pieces]
    for written, recognised, probability in said:
        # Alignment adds pauses to the adjacent words; the detector is more accurate.
        piece = max(left, key=lambda span: _overlap_s(span, recognised))
        left = left[left.index(piece) :]
        earlier = by_piece.setdefault(piece, [])
        begin_s = earlier[-1][1].span.end_s if earlier else piece.start_s
        start_s, end_s = (
            min(max(time_s, begin_s), piece.end_s) for time_s in (recognised.start_s, recognised.end_s)
        )
        earlier.append((written, Word(Span(start_s, end_s), written.strip(), probability)))
    for part in by_piece.values():
        words = tuple(word for _, word in part)
        text = "".join(written for written, _ in part).strip()
        confidence = sum(word.confidence for word in words) / len(words)
        hull = Span(words[0].span.start_s, words[-1].span.end_s)
        yield Recognised(hull.end_s, Segment(hull, text, confidence, words))
    yield Recognised(window.span.end_s)


def _overlap_s(one: Span, other: Span) -> float:
    """Returns the overlap; negative if the spans are apart."""
    return min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
