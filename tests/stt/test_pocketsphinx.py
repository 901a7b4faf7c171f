"""The embedded engine on speech, silence, noise and other languages."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.errors import InvalidField
from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono
from etbgm_kit.types import Segment, Transcript
from etbgm_stt.audio import open_audio
from etbgm_stt.pocketsphinx_engine import DOUBTFUL, PocketsphinxRecogniser
from etbgm_stt.types import Language, Recognised

from .conftest import PAUSE_S, SENTENCES, second_blocks
from .wer import recordings, word_errors, words_of

pytestmark = pytest.mark.process

WORST_WER = 0.35
"""Of real read speech, which measured 0.25; another version of a library may move it a little."""


def test_sentences_come_out_as_they_were_spoken(recogniser: PocketsphinxRecogniser, narration: Path) -> None:
    recognised = transcribe(recogniser, narration)
    assert len(recognised) == len(SENTENCES)
    for segment, sentence in zip(recognised, SENTENCES, strict=True):
        assert word_errors(words_of(sentence), segment.text.split()) <= 2
        assert segment.text == " ".join(word.text for word in segment.words)
        assert 0.5 < segment.confidence <= 1


def test_times_are_those_of_the_sound(recogniser: PocketsphinxRecogniser, narration: Path) -> None:
    recognised = transcribe(recogniser, narration)
    assert recognised[0].span.start_s == pytest.approx(PAUSE_S, abs=0.25)
    for one, following in itertools.pairwise(recognised):
        assert following.span.start_s - one.span.end_s == pytest.approx(PAUSE_S, abs=0.5)
    for segment in recognised:
        times = [t for word in segment.words for t in (word.span.start_s, word.span.end_s)]
        assert times == sorted(times)
        assert (segment.span.start_s, segment.span.end_s) == (times[0], times[-1])


def test_the_same_sound_gives_the_same_words(recogniser: PocketsphinxRecogniser, narration: Path) -> None:
    assert transcribe(recogniser, narration) == transcribe(recogniser, narration)


@pytest.mark.parametrize("loudness", [0.0, 0.05])
def test_silence_and_noise_say_nothing(recogniser: PocketsphinxRecogniser, loudness: float) -> None:
    noise = np.random.default_rng(3).normal(0, loudness, 12 * SAMPLE_RATE_HZ).astype(np.float32)
    recognised = listen(recogniser, second_blocks(noise))
    assert [h.segment for h in recognised if h.segment] == []
    assert recognised[-1].until_s == pytest.approx(12)


def test_no_sound_at_all(recogniser: PocketsphinxRecogniser) -> None:
    assert [h.segment for h in listen(recogniser, []) if h.segment] == []


def test_what_is_heard_never_goes_back(recogniser: PocketsphinxRecogniser, narration: Path) -> None:
    with open_audio(narration) as audio:
        times = [recognised.until_s for recognised in listen(recogniser, audio.blocks())]
    assert times == sorted(times)


def test_a_caller_who_stops_stops_the_work(recogniser: PocketsphinxRecogniser, narration: Path) -> None:
    with open_audio(narration) as audio:
        sentence = np.concatenate(list(audio.blocks()))
    taken = []

    def endless() -> Iterator[Mono]:
        for number in itertools.count():
            taken.append(number)
            yield sentence

    hearing = recogniser.recognise(endless(), None, frozenset())
    assert any(isinstance(h, Recognised) and h.segment for h in itertools.islice(hearing, 10))
    hearing.close()
    assert len(taken) < 10


def test_other_languages_are_refused(recogniser: PocketsphinxRecogniser) -> None:
    for asked, written in [(None, "en"), ("en-GB", "en-GB")]:
        assert next(recogniser.recognise([], asked, frozenset())) == Language(written)
    with pytest.raises(InvalidField, match="English only, not de"):
        list(recogniser.recognise([], "de", frozenset({"en"})))


@pytest.mark.parametrize(("language", "doubtful"), [("en", False), ("de", True), ("fr", True)])
def test_speech_that_may_not_be_english_is_told(
    recogniser: PocketsphinxRecogniser, test_data: Path, language: str, doubtful: bool
) -> None:
    recognised = transcribe(recogniser, test_data / f"speech/{language}/pv_test_{language}.wav")
    notes = recogniser.notes(Transcript(tuple(recognised), "en"))
    assert notes == ((DOUBTFUL,) if doubtful else ())


def test_word_error_rate_of_real_speech(recogniser: PocketsphinxRecogniser, test_data: Path) -> None:
    errors = words = 0
    for path, spoken in recordings(test_data, "LJ001-000[258]|arctic|libri|vctk_p287_00[35]_clean"):
        recognised = transcribe(recogniser, path)
        errors += word_errors(spoken, words_of(" ".join(segment.text for segment in recognised)))
        words += len(spoken)
    assert words > 100
    assert errors / words <= WORST_WER


def transcribe(recogniser: PocketsphinxRecogniser, path: Path) -> list[Segment]:
    with open_audio(path) as audio:
        return [recognised.segment for recognised in listen(recogniser, audio.blocks()) if recognised.segment]


def listen(recogniser: PocketsphinxRecogniser, blocks: Iterable[Mono]) -> list[Recognised]:
    hearing = recogniser.recognise(blocks, None, frozenset())
    return [recognised for recognised in hearing if isinstance(recognised, Recognised)]
