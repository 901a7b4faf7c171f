"""Turns requests into stored artifacts: the engine writes files, the store keeps them."""

from collections.abc import Callable
from dataclasses import replace

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import Conflict, NotReady
from etbgm_riffusion.engine import Adapters, MusicEngine, OnProgress
from etbgm_riffusion.types import CueRequest, Music, StyleInfo


class RiffusionService:
    """Renders cues with the engine into `store`; unfinished files are kept in `scratch`."""

    def __init__(
        self,
        choose: Callable[[], tuple[MusicEngine, tuple[str, ...]]],
        store: ArtifactStore,
        scratch: Scratch,
    ) -> None:
        """`choose` returns the engine, and advice on a better setup; it may raise RuntimeError."""
        self._choose, self._store, self._scratch = choose, store, scratch
        self._loaded: MusicEngine | None = None
        self._advice: tuple[str, ...] = ()

    def load(self) -> None:
        """Chooses and loads the engine; blocks. Raises RuntimeError naming what is missing."""
        engine, self._advice = self._choose()
        engine.load()
        self._loaded = engine

    def close(self) -> None:
        """Closes the engine."""
        if self._loaded:
            self._loaded.close()

    @property
    def advice(self) -> tuple[str, ...]:
        """Advice on a better setup, in sentences."""
        return self._advice

    @property
    def engine(self) -> MusicEngine:
        """The loaded engine. Raises NotReady before it is loaded."""
        if self._loaded is None:
            raise NotReady
        return self._loaded

    @property
    def revision(self) -> str:
        """Changes with the engine, its adapters and the code that stores their sound; may hash adapters."""
        return revision_of(__name__, "etbgm_riffusion.converters", facts=self.engine.info().revision)

    @property
    def adapters(self) -> Adapters:
        """The engine's adapters. Raises NotReady, and Conflict if the engine has none."""
        if self.engine.adapters is None:
            raise Conflict(f"the engine {self.engine.info().name} has no adapters")
        return self.engine.adapters

    def styles(self) -> tuple[StyleInfo, ...]:
        """Returns the engine's styles, in alphabetical order. Raises NotReady."""
        return self.engine.styles()

    def render(self, request: CueRequest, on_progress: OnProgress) -> Music:
        """Renders and stores the cue's sound, requested stems, and the piece's MIDI and picture; blocks."""
        info = self.engine.info()  # read now: an adapter may be replaced during rendering
        with self._scratch.folder() as folder:
            path = folder / "music.flac"
            generated = self.engine.generate(request, path, on_progress)
            music = self._store.move(path, "audio/flac")
            stems = [
                self._store.move(path.with_name(f"{name}.flac"), "audio/flac") for name in generated.stems
            ]
        return Music(
            music=music,
            midi=self._store.put_bytes(generated.midi, "audio/midi"),
            picture=self._store.put_bytes(generated.picture, "image/png"),
            stems=tuple(stems),
            generated=generated,
            engine=replace(info, ingredients=info.ingredients + generated.ingredients),
        )
