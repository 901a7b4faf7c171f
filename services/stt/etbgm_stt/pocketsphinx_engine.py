"""Speech to text by pocketsphinx, whose wheel contains its English model."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

import numpy as np

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.errors import InvalidField
from etbgm_kit.media.vad import Mono, model_sha256
from etbgm_kit.models.catalogue import ingredient
from etbgm_kit.types import EngineInfo, Segment, Span, Transcript, Word
from etbgm_stt.pool import DecoderPool
from etbgm_stt.speech import Speech, find_speech
from etbgm_stt.types import Language, Recognised

DOUBTFUL = (
    "Speech recognition was unsure of most words. If the speech is not English, the emotions are unreliable: "
    "pocketsphinx knows English only."
)
DOUBTFUL_CONFIDENCE = 0.4
"""Mean over the words: 0.43 to 0.66 for English, 0.26 to 0.35 for whole sentences in other languages."""


class PocketsphinxRecogniser:
    """Decodes each piece of speech on the next free core."""

    def __init__(self, decoders: int) -> None:
        self._pool = DecoderPool(decoders)

    @property
    def engine(self) -> EngineInfo:
        """pocketsphinx, whose version determines its model, and the speech detector."""
        ingredients = ingredient("pocketsphinx-en-us"), ingredient("silero-vad")
        return EngineInfo("pocketsphinx", revision_of(__name__, facts=model_sha256()), "cpu", ingredients)

    def load(self) -> None:
        """Blocks until every decoder process is ready."""
        self._pool.load()

    def notes(self, transcript: Transcript) -> tuple[str, ...]:
        """Warns if the language may not be English."""
        sure = [word.confidence for segment in transcript.segments for word in segment.words]
        doubtful = bool(sure) and sum(sure) / len(sure) < DOUBTFUL_CONFIDENCE
        return (DOUBTFUL,) if doubtful else ()

    def recognise(
        self, blocks: Iterable[Mono], language: str | None, readable: frozenset[str]
    ) -> Iterator[Recognised | Language]:
        """See `Recogniser`. Raises NotReady if a decoder process died."""
        yield Language(_english(language))
        decoding_now: deque[tuple[Span, Future[list[Word]]]] = deque()
        with self._pool.mended():
            try:
                for taken_s, pieces in find_speech(blocks):
                    for piece in pieces:
                        decoding_now.append((piece.span, self._pool.decode(_pcm(piece))))
                        # One more than decoders: no core idles, and a cancel wastes little work.
                        if len(decoding_now) > self._pool.size + 1:
                            yield _heard(*decoding_now.popleft())
                    yield Recognised(decoding_now[0][0].start_s if decoding_now else taken_s)
                while decoding_now:
                    yield _heard(*decoding_now.popleft())
            finally:
                for _, words in decoding_now:
                    words.cancel()

    def close(self) -> None:
        """Ends the decoder processes."""
        self._pool.close()


def _english(asked: str | None) -> str:
    if asked and asked.lower().split("-")[0] not in ("en", "eng"):
        raise InvalidField(
            "language", f"pocketsphinx knows English only, not {asked}; give captions, or another engine"
        )
    return asked or "en"


def _pcm(piece: Speech) -> bytes:
    return (piece.samples * 32767).astype(np.int16).tobytes()


def _heard(span: Span, decoded: Future[list[Word]]) -> Recognised:
    words = tuple(Word(_within(span, word.span), word.text, word.confidence) for word in decoded.result())
    if not words:
        return Recognised(span.end_s)
    hull = Span(words[0].span.start_s, words[-1].span.end_s)
    text = " ".join(word.text for word in words)
    confidence = sum(word.confidence for word in words) / len(words)
    return Recognised(span.end_s, Segment(hull, text, confidence, words))


def _within(span: Span, word: Span) -> Span:
    # The decoder's last frame may extend beyond the piece, but segments must not overlap.
    return Span(*(min(span.start_s + time_s, span.end_s) for time_s in (word.start_s, word.end_s)))
