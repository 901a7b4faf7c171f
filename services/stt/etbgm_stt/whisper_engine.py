"""Speech to text by Whisper (Radford et al. 2022), run by faster-whisper on CTranslate2.

Speech is divided at pauses into windows, which are recognised singly or in batches. No state
passes from one window to the next, so memory use does not grow with the sound, errors do
not spread, and the caller may stop after each window.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from etbgm_kit.artifacts.revision import revision_of, version_of
from etbgm_kit.errors import InvalidField, NotReady
from etbgm_kit.languages import ENGLISH
from etbgm_kit.media.vad import Mono, model_sha256
from etbgm_kit.models.catalogue import ingredient
from etbgm_kit.types import EngineInfo
from etbgm_stt import hearing, windows
from etbgm_stt.languages import code_of, tag_of
from etbgm_stt.speech import find_speech
from etbgm_stt.types import Language, Recognised
from etbgm_stt.whisper_model import WhisperParams, hash_of, languages_of, load_whisper
from etbgm_stt.windows import Window

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

OTHER_LANGUAGE_PROBABILITY = 0.7
"""Probability from which a window is recognised in another language than the first."""


class WhisperRecogniser:
    """Detects the languages if none is requested; transcribes, and translates to English."""

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

    @property
    def languages(self) -> Sequence[str]:
        """See `Recogniser`."""
        return sorted(map(tag_of, languages_of(self._loaded)))

    def load(self) -> None:
        """Loads the model. Raises BrokenModel."""
        params = self._params
        self._model = load_whisper(params)
        # Threads and workers only distribute the same computation.
        computed = params.device, params.compute_type, params.beam_size, params.batch_windows
        facts = params.name, hash_of(params.folder), computed, model_sha256(), version_of("ctranslate2")
        self._revision = revision_of(__name__, facts=facts)

    def recognise(
        self, blocks: Iterable[Mono], language: str | None, needs_english: Callable[[str], bool]
    ) -> Iterator[Recognised]:
        """See `Recogniser`."""
        model, batch = self._loaded, self._params.batch_windows
        languages = _Languages(model, self._given(model, language))
        translates = self._params.translates and bool(model.model.is_multilingual)
        english = needs_english if translates else lambda _: False

        def hear(taken: list[Window]) -> Iterator[Recognised]:
            spoken = [(window, languages.of(window)) for window in taken]
            return hearing.hear(model, self._params.beam_size, spoken, english)

        waiting: list[Window] = []
        for taken_s, found in windows.gather(find_speech(blocks, windows.PIECES)):
            waiting += found
            while len(waiting) >= batch:
                yield from hear(_take(waiting, batch))
            yield Recognised(waiting[0].pieces[0].span.start_s if waiting else taken_s)
        if waiting:
            yield from hear(waiting)

    def close(self) -> None:
        """Frees the model as soon as no call uses it."""
        self._model = None

    @property
    def _loaded(self) -> "WhisperModel":
        if self._model is None:
            raise NotReady
        return self._model

    def _given(self, model: "WhisperModel", asked: str | None) -> Language | None:
        """Returns the language that is requested or the only one; None if it must be detected."""
        if not model.model.is_multilingual:
            asked = asked or ENGLISH
        known = languages_of(model)
        if asked and code_of(asked) not in known:
            what = "English only" if known == [ENGLISH] else f"{len(known)} languages"
            raise InvalidField(
                "language", f"{self._params.name} knows {what}, not {asked}; give captions, or another model"
            )
        return Language(asked) if asked else None


class _Languages:
    """The language of each window: that of the first one, unless another is probable."""

    def __init__(self, model: "WhisperModel", given: Language | None) -> None:
        self._model, self._given = model, given
        self._main: Language | None = None

    def of(self, window: Window) -> Language:
        if self._given:
            return self._given
        found = hearing.detect_language(self._model, window)
        if self._main is None or found.probability >= OTHER_LANGUAGE_PROBABILITY:
            self._main = self._main or found
            return found
        return self._main


def _take(waiting: list[Window], count: int) -> list[Window]:
    taken, waiting[:count] = waiting[:count], []
    return taken
