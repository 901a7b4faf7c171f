"""What the user is told of a transcript's language, whichever the engine."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono
from etbgm_kit.types import EngineInfo, Segment, Span, Transcript
from etbgm_stt.service import SpeechToTextService
from etbgm_stt.types import Language, Recognised, TranscribeRequest

pytestmark = pytest.mark.process


class FakeRecogniser:
    """Hears one word of one language, and translates none."""

    engine = EngineInfo("fake", "1", "cpu")

    def __init__(self, language: str) -> None:
        self._language = language

    def load(self) -> None:
        pass

    def notes(self, transcript: Transcript) -> tuple[str, ...]:
        return ("Its own note.",)

    def recognise(
        self, blocks: Iterable[Mono], language: str | None, readable: frozenset[str]
    ) -> Iterator[Recognised | Language]:
        yield Language(self._language)
        for _ in blocks:
            yield Recognised(0.5, Segment(Span(0.1, 0.4), "word", 1.0))

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("language", "readable", "told"),
    [("en", {"en"}, False), ("de", {"en"}, True), ("de", {"en", "de-AT"}, False), ("de", set(), False)],
)
def test_a_language_that_its_reader_does_not_know_is_told(
    store: ArtifactStore, tmp_path: Path, language: str, readable: set[str], told: bool
) -> None:
    path = tmp_path / "sound.flac"
    soundfile.write(path, np.zeros(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    audio = store.put(path, "audio/flac")
    service = SpeechToTextService(store, lambda: (FakeRecogniser(language), ("What would be better.",)))
    service.load()
    request = TranscribeRequest(audio, None, frozenset(readable))
    notes = service.transcribe(request, lambda _: None, lambda _: None).notes
    assert [note for note in notes if "does not know" in note] == list(notes[:-1])
    assert bool(notes[:-1]) is told
    assert notes[-1] == "Its own note."
    assert service.advice == ("What would be better.",)
