"""Riffusion as a music engine: the composer writes and plays the piece, diffusion paints over its sound."""

from dataclasses import dataclass
from pathlib import Path

from etbgm_kit.artifacts.revision import revision_of, version_of
from etbgm_kit.errors import InvalidField
from etbgm_kit.models.catalogue import Hub, find, ingredient
from etbgm_kit.types import EngineInfo, Ingredient
from etbgm_riffusion.choice import Precision
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.diffusion import pipeline, prompts
from etbgm_riffusion.diffusion.adapters import AdapterFolder
from etbgm_riffusion.diffusion.batcher import Batcher
from etbgm_riffusion.diffusion.cues import PARAMS, Cues
from etbgm_riffusion.diffusion.line import Limits
from etbgm_riffusion.diffusion.painter import Painter
from etbgm_riffusion.diffusion.types import Canvas, OnSteps, Pixels
from etbgm_riffusion.engine import OnProgress
from etbgm_riffusion.flac import writing
from etbgm_riffusion.spectrogram.codec import Codec
from etbgm_riffusion.types import CueRequest, DiffusionSettings, Generated, StyleInfo

_WINDOWS = 8
"""Maximum windows of one canvas."""

_NO_STEMS = "There are no stems: Riffusion renders the music as a whole. The composer engine writes stems."


@dataclass(frozen=True)
class Means:
    """The engine's resources and limits.

    `model` is a folder or a Hugging Face hub id; `device` is cpu or cuda; `prompts_file` is None for the
    package's table; `rows` is the size of a batch; `calls` is the maximum number of concurrent calls;
    `precision` is that of the weights; `compile_unet` requests `torch.compile`.
    """

    model: Path | str
    device: str
    prompts_file: Path | None
    adapters_dir: Path
    rows: int
    calls: int
    precision: Precision = "auto"
    compile_unet: bool = False


class _Denoiser:
    """The batcher; loads the adapters that a canvas names."""

    def __init__(self, batcher: Batcher, adapters: AdapterFolder) -> None:
        self._batcher, self._adapters = batcher, adapters

    def denoise(self, canvas: Canvas, on_progress: OnSteps) -> Pixels:
        """See `Batcher.denoise`. Loads the adapters each time: they may be unloaded between two canvases."""
        for name, weight in canvas.adapters:
            if weight:
                self._adapters.load(name)
        return self._batcher.denoise(canvas, on_progress)


class DiffusionEngine:
    """Paints over the sound that `composer` plays."""

    adapters: AdapterFolder

    def __init__(self, composer: ComposerEngine, means: Means) -> None:
        self._composer, self._means = composer, means
        self._batcher: Batcher | None = None
        self._notes: tuple[str, ...] = ()

    def load(self) -> None:
        """Loads all parts, the weights last. Raises RuntimeError naming what is missing or broken."""
        self._composer.load()
        table = prompts.load(self._means.prompts_file)
        loaded = pipeline.load(
            self._means.model, self._means.device, commit_of(self._means.model), self._means.precision
        )
        self._device = loaded.device.type
        codec = Codec(PARAMS, str(loaded.device))
        self._batcher = Batcher(loaded, Limits(self._means.rows, _WINDOWS * self._means.calls))
        if self._means.compile_unet and (told := self._batcher.compile_unet()):
            self._notes = (told,)
        is_compiled = self._means.compile_unet and not self._notes
        precision = str(loaded.dtype), self._device, is_compiled
        facts = loaded.digest(), precision, table.revision, version_of("peft")
        self._revision = revision_of(__name__, facts=facts)
        self.adapters = AdapterFolder(self._means.adapters_dir, self._batcher)
        denoiser = _Denoiser(self._batcher, self.adapters)
        self._cues = Cues(Painter(self._composer, table, denoiser, codec), self._means.calls)

    def close(self) -> None:
        """Stops the denoiser's thread."""
        if self._batcher:
            self._batcher.close()

    def info(self) -> EngineInfo:
        """Describes the engine; its revision covers code, weights, prompts, device, adapters and composer."""
        composer = self._composer.info()
        return EngineInfo(
            name="riffusion",
            revision=f"{self._revision}-{self.adapters.revision}-{composer.revision}",
            device=self._device,
            ingredients=(self._weights(), *composer.ingredients),
        )

    def styles(self) -> tuple[StyleInfo, ...]:
        """Returns the composer's styles."""
        return self._composer.styles()

    def generate(self, request: CueRequest, music: Path, on_progress: OnProgress) -> Generated:
        """See `MusicEngine.generate`. Raises InvalidField for adapters that do not exist."""
        on_progress(0.0)
        settings = request.diffusion or DiffusionSettings()
        self._check(settings)
        composed = self._composer.compose(request.piece)
        with writing([music], request.sample_rate_hz) as write:
            for parts in self._cues.sound(request, settings, self.adapters.revision, on_progress):
                write(parts)
        return composed.tell(
            request.cue,
            self._composer.notes + self._notes + ((_NO_STEMS,) if request.stems else ()),
            ingredients=tuple(self.adapters.ingredient(name) for name, weight in settings.adapters if weight),
        )

    def _weights(self) -> Ingredient:
        model = self._means.model
        return ingredient(model.resolve().name if isinstance(model, Path) else model, str(model))

    def _check(self, settings: DiffusionSettings) -> None:
        there = {adapter.name for adapter in self.adapters.list()}
        for index, (name, _) in enumerate(settings.adapters):
            if name not in there:
                raise InvalidField(f"diffusion.adapters[{index}].name", "is none of ListAdapters")


def commit_of(model: Path | str) -> str | None:
    """Returns the commit that the catalogue names for a hub model; None for others, which use the newest.

    The main branch of Riffusion's own repository has no safetensors files.
    """
    entry = find(model) if isinstance(model, str) else None
    return entry.source.revision if entry and isinstance(entry.source, Hub) else None
