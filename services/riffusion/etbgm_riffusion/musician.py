"""From a request to stored artifacts: the engine writes, the store keeps."""

from etbgm_kit.scratch import Scratch
from etbgm_kit.store import ArtifactStore
from etbgm_riffusion.engine import MusicEngine, Report
from etbgm_riffusion.types import CueRequest, Music, StyleInfo


class Musician:
    """Renders cues with `engine` into `store`; files in the making lie in `scratch`."""

    def __init__(self, engine: MusicEngine, store: ArtifactStore, scratch: Scratch) -> None:
        self._engine, self._store, self._scratch = engine, store, scratch

    def styles(self) -> tuple[StyleInfo, ...]:
        """The engine's styles, in alphabetical order."""
        return self._engine.styles()

    def render(self, request: CueRequest, report: Report) -> Music:
        """The cue's sound, its stems if asked for, the piece's MIDI file and picture, stored; blocks."""
        with self._scratch.folder() as folder:
            path = folder / "music.flac"
            generated = self._engine.generate(request, path, report)
            music = self._store.put(path, "audio/flac")
            stems = [
                self._store.put(path.with_name(f"{name}.flac"), "audio/flac") for name in generated.stems
            ]
        return Music(
            music=music,
            midi=self._store.put_bytes(generated.midi, "audio/midi"),
            picture=self._store.put_bytes(generated.picture, "image/png"),
            stems=tuple(stems),
            generated=generated,
            engine=self._engine.info(),
        )
