"""faster-whisper with the default model, on speech from flite and from people."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.errors import InvalidField, NotReady
from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono
from etbgm_kit.types import Segment
from etbgm_stt.audio import open_audio
from etbgm_stt.choice import DEFAULT
from etbgm_stt.whisper_engine import WhisperRecogniser
from etbgm_stt.whisper_model import WhisperParams

from .conftest import PAUSE_S, SENTENCES

pytestmark = pytest.mark.process

TOLERANCE_S = 0.3
"""The detector pads speech by 0.2 s."""


@pytest.fixture(scope="module")
def whisper(models_dir: Path) -> Iterator[WhisperRecogniser]:
    recogniser = WhisperRecogniser(WhisperParams(DEFAULT, models_dir / DEFAULT, beam_size=1))
    recogniser.load()
    yield recogniser
    recogniser.close()


@pytest.fixture(scope="module")
def told(whisper: WhisperRecogniser, narration: Path) -> "Heard":
    """The narration, transcribed."""
    return transcribe(whisper, blocks_of(narration))


def test_sentences_come_out_as_they_were_spoken(told: "Heard") -> None:
    assert (told.language, told.probability > 0.9) == ("en", True)
    assert [plain(segment.text) for segment in told.segments] == [plain(text) for text in SENTENCES]
    assert not told.translated


def test_times_are_in_order_and_segments_are_their_words(told: "Heard") -> None:
    times = [t for s in told.segments for word in s.words for t in (word.span.start_s, word.span.end_s)]
    assert times == sorted(times)
    for segment in told.segments:
        assert segment.span.start_s == segment.words[0].span.start_s
        assert segment.span.end_s == segment.words[-1].span.end_s
        assert segment.confidence == pytest.approx(np.mean([word.confidence for word in segment.words]))
    assert told.segments[0].span.start_s == pytest.approx(PAUSE_S, abs=TOLERANCE_S)
    pauses = [following.span.start_s - one.span.end_s for one, following in itertools.pairwise(told.segments)]
    assert pauses == pytest.approx([PAUSE_S] * 2, abs=2 * TOLERANCE_S)


def test_speech_comes_in_its_language_and_in_english_where_needed(
    whisper: WhisperRecogniser, test_data: Path
) -> None:
    blocks = blocks_of(test_data / "speech/de/pv_test_de.wav")
    encoded = count_encodings(whisper)
    heard = transcribe(whisper, blocks, None, lambda tag: tag == "de")
    assert heard.language == "de"
    assert {"der", "hinter", "diesem", "portal", "raum"} < set(plain(heard.text).split())
    # Not "room": int8 differs between processors, and so does that word.
    english = set(plain(heard.translated).split())
    assert {"the", "portal"} < english and not {"der", "raum"} & english
    assert next(encoded) == 1, "detection, transcription and translation share the encoder's result"


def test_turbo_models_do_not_pretend_to_translate(models_dir: Path, test_data: Path) -> None:
    turbo = WhisperRecogniser(WhisperParams("whisper-large-v3-turbo", models_dir / DEFAULT, beam_size=1))
    turbo.load()
    heard = transcribe(turbo, blocks_of(test_data / "speech/de/pv_test_de.wav"), None, lambda _: True)
    assert heard.segments
    assert not heard.translated


def test_the_language_that_is_asked_for_is_not_detected(whisper: WhisperRecogniser, narration: Path) -> None:
    assert transcribe(whisper, blocks_of(narration), "en-GB").language == "en-GB"
    with pytest.raises(InvalidField, match="language: whisper-base knows 99 languages, not tlh"):
        list(whisper.recognise([], "tlh", lambda _: False))
    with pytest.raises(InvalidField, match="not yue"):
        list(whisper.recognise([], "yue", lambda _: False))


@pytest.mark.parametrize("language", ["de", "es", "fr", "it", "ko", "zh"])
def test_languages_are_detected(whisper: WhisperRecogniser, test_data: Path, language: str) -> None:
    path = next(iter(sorted((test_data / f"speech/{language}").glob("[ap]*.wav"))))
    with open_audio(path) as audio:
        heard = transcribe(whisper, audio.blocks())
    assert heard.language == language
    spans = [word.span for segment in heard.segments for word in segment.words]
    assert all(one.end_s <= following.start_s for one, following in itertools.pairwise(spans))
    assert spans[-1].end_s <= audio.duration_s


def test_each_window_comes_in_its_own_language(whisper: WhisperRecogniser, test_data: Path) -> None:
    english = [block for n in range(1, 8) for block in blocks_of(test_data / f"speech/en/LJ001-000{n}.wav")]
    german = blocks_of(test_data / "speech/de/pv_test_de.wav") * 8
    heard = list(whisper.recognise([*english, *german], None, lambda _: False))
    tags = [item.language.tag for item in heard if item.segments]
    assert (tags[0], tags[-1]) == ("en", "de")


def test_batches_hear_the_same_words(whisper: WhisperRecogniser, models_dir: Path, narration: Path) -> None:
    blocks = blocks_of(narration) * 4
    params = WhisperParams(DEFAULT, models_dir / DEFAULT, beam_size=1, batch_windows=2)
    batching = WhisperRecogniser(params)
    batching.load()
    together, alone = transcribe(batching, blocks), transcribe(whisper, blocks)
    assert plain(together.text) == plain(alone.text)
    assert batching.engine.revision != whisper.engine.revision


def test_segments_come_while_the_sound_is_heard(whisper: WhisperRecogniser, narration: Path) -> None:
    blocks = blocks_of(narration) * 4
    taken = 0

    def counted() -> Iterator[Mono]:
        nonlocal taken
        for taken, block in enumerate(blocks, 1):  # noqa: B007
            yield block

    hearing = whisper.recognise(counted(), "en", lambda _: False)
    assert next(item for item in hearing if item.segments).until_s < 40
    assert taken < len(blocks)
    hearing.close()  # type: ignore[attr-defined]
    assert taken < len(blocks), "a caller who stops stops the work"


@pytest.mark.parametrize("loudness", [0.0, 0.05])
def test_silence_and_noise_say_nothing(whisper: WhisperRecogniser, loudness: float) -> None:
    noise = np.random.default_rng(3).normal(0, loudness, 12 * SAMPLE_RATE_HZ).astype(np.float32)
    recognised = list(whisper.recognise(np.split(noise, 12), None, lambda _: False))
    assert not any(item.segments for item in recognised)
    assert recognised[-1].until_s == pytest.approx(12)


@pytest.mark.parametrize("folder", ["music", "noise"])
def test_music_singing_and_noises_say_nothing(
    whisper: WhisperRecogniser, test_data: Path, folder: str
) -> None:
    for path in sorted((test_data / folder).iterdir()):
        heard = transcribe(whisper, blocks_of(path))
        assert (path.name, heard.text) == (path.name, "")


def test_nothing_works_before_it_is_loaded(models_dir: Path) -> None:
    recogniser = WhisperRecogniser(WhisperParams(DEFAULT, models_dir / DEFAULT))
    with pytest.raises(NotReady):
        list(recogniser.recognise([], None, lambda _: False))
    with pytest.raises(NotReady):
        assert recogniser.engine


@dataclass
class Heard:
    """All that was recognised; `language` is that of the last speech."""

    language: str
    probability: float
    segments: list[Segment]
    translated: str

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)


def transcribe(
    recogniser: WhisperRecogniser,
    blocks: Iterable[Mono],
    language: str | None = None,
    needs_english: Callable[[str], bool] = lambda _: False,
) -> Heard:
    heard = Heard("", 0, [], "")
    for item in recogniser.recognise(blocks, language, needs_english):
        if item.segments:
            heard.language, heard.probability = item.language.tag, item.language.probability
        heard.segments += item.segments
        heard.translated += " ".join(segment.text for segment in item.translated)
    return heard


def blocks_of(path: Path) -> Sequence[Mono]:
    with open_audio(path) as audio:
        return list(audio.blocks())


def plain(text: str) -> str:
    return re.sub(r"[^\w ]", "", text.lower())


def count_encodings(recogniser: WhisperRecogniser) -> Iterator[int]:
    """Yields how often CTranslate2's encoder ran since the call."""
    model = recogniser._loaded.model
    calls = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(model, name)

        def encode(self, *args: object, **kwargs: object) -> object:
            calls.append(1)
            return model.encode(*args, **kwargs)

    recogniser._loaded.model = Counting()

    def counted() -> Iterator[int]:
        recogniser._loaded.model = model
        yield len(calls)

    return counted()
