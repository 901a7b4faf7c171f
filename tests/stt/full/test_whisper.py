"""faster-whisper with a tiny model that knows twelve words, which flite speaks."""

import itertools
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.errors import InvalidField, NotReady
from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono
from etbgm_kit.types import Segment
from etbgm_stt.audio import open_audio
from etbgm_stt.whisper_engine import WhisperRecogniser
from etbgm_stt.whisper_model import WhisperParams

from .conftest import PAUSE_S, TINY, Speak, second_blocks
from .spoken import ENGLISH, VOICES

END_TOLERANCE_S = 0.2
"""Of words' ends; the detector's pad of 0.2 s is the most that the last may err by."""

START_TOLERANCE_S = PAUSE_S + 0.2
"""Whisper's alignment gives the pause before a word to the word."""

ENGLISH_WORDS = ("bird water evening window", "children flower bird")
GERMAN_WORDS = ("Kinder Abend Blume Vogel", "Wasser Fenster")


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize(("language", "sentences"), [("en", ENGLISH_WORDS), ("de", GERMAN_WORDS)])
def test_words_come_out_as_they_were_spoken(
    whisper: WhisperRecogniser, speak: Speak, language: str, sentences: tuple[str, ...], voice: str
) -> None:
    spoken = speak(language, *sentences, voice=voice)
    heard = transcribe(whisper, second_blocks(spoken.samples))
    segments = heard.segments
    assert heard.language == language
    assert [segment.text for segment in segments] == list(sentences)
    recognised = [word for segment in segments for word in segment.words]
    for word, (text, start_s, end_s) in zip(recognised, spoken.words, strict=True):
        assert word.text == text
        assert word.span.start_s == pytest.approx(start_s, abs=START_TOLERANCE_S)
        assert word.span.end_s == pytest.approx(end_s, abs=END_TOLERANCE_S)
        assert 0.5 < word.confidence <= 1


def test_times_are_in_order_and_segments_are_their_words(whisper: WhisperRecogniser, speak: Speak) -> None:
    segments = transcribe(whisper, second_blocks(speak("en", *ENGLISH_WORDS).samples)).segments
    times = [t for s in segments for word in s.words for t in (word.span.start_s, word.span.end_s)]
    assert times == sorted(times)
    for segment in segments:
        assert segment.span.start_s == segment.words[0].span.start_s
        assert segment.span.end_s == segment.words[-1].span.end_s
        assert segment.confidence == pytest.approx(np.mean([word.confidence for word in segment.words]))


@pytest.mark.parametrize("asked", [None, "de-AT"])
def test_speech_comes_in_its_language_and_in_english_where_needed(
    whisper: WhisperRecogniser, speak: Speak, asked: str | None
) -> None:
    blocks = second_blocks(speak("de", *GERMAN_WORDS).samples)
    needing = transcribe(whisper, blocks, asked, needs_english=lambda tag: tag == (asked or "de"))
    assert needing.language == (asked or "de")
    assert needing.words == " ".join(GERMAN_WORDS).split()
    assert needing.translated == [ENGLISH[word] for word in needing.words]
    plain = transcribe(whisper, blocks, asked)
    assert (plain.words, plain.translated) == (needing.words, [])


def test_turbo_models_do_not_pretend_to_translate(speak: Speak) -> None:
    turbo = WhisperRecogniser(WhisperParams("whisper-large-v3-turbo", TINY))
    turbo.load()
    blocks = second_blocks(speak("de", "Wasser Fenster").samples)
    heard = transcribe(turbo, blocks, None, needs_english=lambda _: True)
    assert (heard.language, heard.words, heard.translated) == ("de", ["Wasser", "Fenster"], [])


def test_each_window_comes_in_its_own_language(whisper: WhisperRecogniser, speak: Speak) -> None:
    english = [speak("en", *ENGLISH_WORDS).samples] * 5
    german = [speak("de", *GERMAN_WORDS).samples] * 5
    heard = list(whisper.recognise([*english, *german], None, lambda _: False))
    tags = [item.language.tag for item in heard if item.segments]
    assert (tags[0], tags[-1]) == ("en", "de")


def test_the_language_that_is_asked_for_is_not_detected(whisper: WhisperRecogniser, speak: Speak) -> None:
    blocks = second_blocks(speak("de", *GERMAN_WORDS).samples)
    assert transcribe(whisper, blocks, "fr").language == "fr"
    with pytest.raises(InvalidField, match="language: tiny-whisper knows 100 languages, not tlh"):
        list(whisper.recognise(blocks, "tlh", lambda _: False))


def test_a_language_that_came_with_later_models_is_refused(tmp_path: Path) -> None:
    """The multilingual models before large-v3 have no token for Cantonese."""
    folder = Path(shutil.copytree(TINY, tmp_path / "older"))
    tokens = folder / "tokenizer.json"
    tokens.write_text(tokens.read_text().replace("<|yue|>", "<|none|>"))
    older = WhisperRecogniser(WhisperParams("older", folder))
    older.load()
    with pytest.raises(InvalidField, match="language: older knows 99 languages, not yue"):
        list(older.recognise([], "yue", lambda _: False))


def test_batches_hear_the_same_words(whisper: WhisperRecogniser, speak: Speak) -> None:
    blocks = second_blocks(speak("en", *ENGLISH_WORDS, *ENGLISH_WORDS, "water").samples)
    batching = WhisperRecogniser(WhisperParams("tiny-whisper", TINY, batch_windows=4, beam_size=2))
    batching.load()
    together, alone = transcribe(batching, blocks).segments, transcribe(whisper, blocks).segments
    assert [segment.text for segment in together] == [segment.text for segment in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.span.start_s == pytest.approx(other.span.start_s, abs=0.1)
    assert batching.engine.revision != whisper.engine.revision


def test_segments_come_while_the_sound_is_heard(whisper: WhisperRecogniser, speak: Speak) -> None:
    blocks = [speak("en", *ENGLISH_WORDS).samples] * 12
    taken = 0

    def counted() -> Iterator[Mono]:
        nonlocal taken
        for taken, block in enumerate(blocks, 1):  # noqa: B007
            yield block

    when = [taken for item in whisper.recognise(counted(), "en", lambda _: False) if item.segments]
    assert when[0] < 0.5 * len(blocks)
    assert sorted(set(when)) == when


def test_a_caller_who_stops_stops_the_work(whisper: WhisperRecogniser, speak: Speak) -> None:
    sentence = speak("en", *ENGLISH_WORDS).samples
    taken = []

    def endless() -> Iterator[Mono]:
        for number in itertools.count():
            taken.append(number)
            yield sentence

    hearing = whisper.recognise(endless(), "en", lambda _: False)
    assert any(item.segments for item in itertools.islice(hearing, 20))
    hearing.close()  # type: ignore[attr-defined]
    assert len(taken) <= 20


@pytest.mark.parametrize("loudness", [0.0, 0.05])
def test_silence_and_noise_say_nothing(whisper: WhisperRecogniser, loudness: float) -> None:
    noise = np.random.default_rng(3).normal(0, loudness, 12 * SAMPLE_RATE_HZ).astype(np.float32)
    recognised = list(whisper.recognise(second_blocks(noise), None, lambda _: False))
    assert not any(item.segments for item in recognised)
    assert recognised[-1].until_s == pytest.approx(12)


@pytest.mark.parametrize("language", ["de", "es", "fr", "it", "ko"])
def test_any_speech_gives_ordered_times_within_the_sound(
    whisper: WhisperRecogniser, test_data: Path, language: str
) -> None:
    with open_audio(test_data / f"speech/{language}/pv_test_{language}.wav") as audio:
        segments = transcribe(whisper, audio.blocks()).segments
    spans = [word.span for segment in segments for word in segment.words]
    assert spans
    assert all(span.start_s <= span.end_s for span in spans)
    assert all(one.end_s <= following.start_s for one, following in itertools.pairwise(spans))
    assert spans[-1].end_s <= audio.duration_s


def test_nothing_works_before_it_is_loaded() -> None:
    recogniser = WhisperRecogniser(WhisperParams("tiny-whisper", TINY))
    with pytest.raises(NotReady):
        list(recogniser.recognise([], None, lambda _: False))
    with pytest.raises(NotReady):
        assert recogniser.engine


@dataclass
class HeardSpeech:
    """All that was recognised; `language` is that of the last speech."""

    language: str
    segments: list[Segment]
    translated: list[str]

    @property
    def words(self) -> list[str]:
        return " ".join(segment.text for segment in self.segments).split()


def transcribe(
    recogniser: WhisperRecogniser,
    blocks: Iterable[Mono],
    language: str | None = None,
    needs_english: Callable[[str], bool] = lambda _: False,
) -> HeardSpeech:
    heard = HeardSpeech("", [], [])
    for item in recogniser.recognise(blocks, language, needs_english):
        heard.language = item.language.tag if item.segments else heard.language
        heard.segments += item.segments
        heard.translated += " ".join(segment.text for segment in item.translated).split()
    return heard
