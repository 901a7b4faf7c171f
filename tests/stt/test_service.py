"""Which transcripts and notes come of what a recogniser hears."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono
from etbgm_kit.types import EngineInfo, Segment, Span
from etbgm_stt.service import SpeechToTextService
from etbgm_stt.types import Language, Recognised, TranscribeRequest, Transcription

pytestmark = pytest.mark.process


def segment(start_s: float, text: str, duration_s: float = 4.0) -> Segment:
    return Segment(Span(start_s, start_s + duration_s), text, 1.0)


class FakeRecogniser:
    """Hears one word in each of some languages."""

    engine = EngineInfo("fake", "1", "cpu")

    def __init__(
        self, *languages: str, translates: bool = True, probability: float = 1.0, doubtful_s: float = 0.0
    ) -> None:
        self._languages, self._translates = languages, translates
        self._probability, self._doubtful_s = probability, doubtful_s

    def load(self) -> None:
        pass

    @property
    def languages(self) -> tuple[str, ...]:
        return ("en",)

    def recognise(
        self, blocks: Iterable[Mono], language: str | None, needs_english: Callable[[str], bool]
    ) -> Iterator[Recognised]:
        for i, tag in enumerate(self._languages):
            english = self._translates and needs_english(tag)
            yield Recognised(
                5.0 * i + 4,
                (segment(5.0 * i, tag),),
                Language(tag, self._probability),
                (segment(5.0 * i, f"{tag} in English"),) if english else (),
                self._doubtful_s,
            )

    def close(self) -> None:
        pass


@pytest.fixture
def transcribe(store: ArtifactStore, tmp_path: Path) -> Callable[..., Transcription]:
    """Transcribes any sound with a recogniser."""
    path = tmp_path / "sound.flac"
    soundfile.write(path, np.zeros(SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    audio = store.put(path, "audio/flac")

    def run(recogniser: FakeRecogniser, *readable: str, translate: bool = False) -> Transcription:
        service = SpeechToTextService(store, lambda: (recogniser, ()))
        service.load()
        request = TranscribeRequest(audio, None, frozenset(readable), translate)
        return service.transcribe(request, lambda _: None, lambda _: None)

    return run


def texts(found: Transcription) -> tuple[list[str], list[str] | None]:
    english = [one.text for one in found.translation.segments] if found.translation else None
    return [one.text for one in found.transcript.segments], english


@pytest.mark.parametrize(
    ("language", "readable", "translate", "english", "noted"),
    [
        ("en", {"en"}, False, None, False),
        ("en", {"ko"}, True, None, False),
        ("de", {"en"}, False, ["de in English"], True),
        ("de", {"en", "de-AT"}, False, None, False),
        ("de", {"en", "de-AT"}, True, ["de in English"], False),
        ("de", set(), False, None, False),
    ],
)
def test_english_comes_where_asked_for_or_needed(
    transcribe: Callable[..., Transcription],
    language: str,
    readable: set[str],
    translate: bool,
    english: list[str] | None,
    noted: bool,
) -> None:
    found = transcribe(FakeRecogniser(language), *readable, translate=translate)
    assert found.transcript.language == language
    assert texts(found) == ([language], english)
    assert [note for note in found.notes if "follow a translation" in note] == list(found.notes)
    assert bool(found.notes) == noted


def test_english_is_complete_where_only_some_speech_is_translated(
    transcribe: Callable[..., Transcription],
) -> None:
    found = transcribe(FakeRecogniser("xh", "en", "xh"), "en")
    assert texts(found)[1] == ["xh in English", "en", "xh in English"]
    assert "Parts of the speech are in other languages than xh: en." in found.notes


def test_a_missing_translation_is_noted(transcribe: Callable[..., Transcription]) -> None:
    (note,) = transcribe(FakeRecogniser("de", translates=False), "en").notes
    assert note.startswith("The emotions may be wrong: the emotion classifier does not read de.")
    (note,) = transcribe(FakeRecogniser("de", translates=False), "de", translate=True).notes
    assert note.startswith("There is no English transcript.")


def test_doubts_are_noted(transcribe: Callable[..., Transcription]) -> None:
    found = transcribe(FakeRecogniser("de", probability=0.3, doubtful_s=2.0))
    assert found.notes[0] == "The language of the speech is uncertain; de was assumed."
    assert found.notes[1].startswith("2 s of sound were left out of the transcript")
    assert not transcribe(FakeRecogniser("de", probability=0.9, doubtful_s=0.5)).notes


def test_without_speech_the_language_is_undetermined(transcribe: Callable[..., Transcription]) -> None:
    found = transcribe(FakeRecogniser())
    assert (found.transcript.segments, found.transcript.language, found.notes) == ((), "und", ())
