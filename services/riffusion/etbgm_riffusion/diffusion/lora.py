"""LoRA adapters: small weights that PEFT adds to the pipeline's at run time."""

from pathlib import Path

from etbgm_kit.errors import Conflict, NotFound
from etbgm_kit.models.folders import BrokenModel, loading
from etbgm_riffusion.diffusion.pipeline import Pipeline


class Adapters:
    """The adapters in a pipeline; for use by the pipeline's thread only."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._parts = pipeline.parts
        self._loaded: set[str] = set()
        self._applied: tuple[tuple[str, float], ...] = ()

    def names(self) -> tuple[str, ...]:
        """Returns the names of the loaded adapters, in alphabetical order."""
        return tuple(sorted(self._loaded))

    def load(self, name: str, file: Path) -> None:
        """Reads a safetensors file in diffusers' or kohya's format; blocks.

        Raises BrokenModel if the file cannot be used, Conflict if the name is taken.
        """
        if name in self._loaded:
            raise Conflict(f"an adapter named {name} is loaded")
        if file.suffix != ".safetensors" or not file.is_file():
            raise BrokenModel(file, "not a safetensors file")
        with loading(file):
            try:
                self._parts.load_lora_weights(
                    str(file.parent),
                    weight_name=file.name,
                    adapter_name=name,
                    use_safetensors=True,
                    local_files_only=True,
                )
                if not any(name in found for found in self._parts.get_list_adapters().values()):
                    raise BrokenModel(file, "none of its weights belongs to the pipeline")
            except BaseException:
                self._forget(name)
                self._switch(())
                raise
        self._loaded.add(name)
        self._switch(())

    def unload(self, name: str) -> None:
        """Removes an adapter. Raises NotFound if it is not loaded."""
        self.check((name,))
        self._forget(name)
        self._loaded.remove(name)
        self._switch(())

    def apply(self, adapters: tuple[tuple[str, float], ...]) -> None:
        """Activates exactly these adapters, with their weights; () restores the pipeline as it was loaded."""
        if adapters != self._applied:
            self._switch(adapters)

    def check(self, names: tuple[str, ...]) -> None:
        """Raises NotFound unless all adapters are loaded."""
        for name in names:
            if name not in self._loaded:
                raise NotFound(f"no adapter named {name} is loaded", adapter=name)

    def _forget(self, name: str) -> None:
        """Removes the adapter's layers; removing the last adapter restores the pipeline as it was loaded."""
        if self._loaded - {name}:
            self._parts.delete_adapters(name)
        else:
            self._parts.unload_lora_weights()

    def _switch(self, adapters: tuple[tuple[str, float], ...]) -> None:
        """Activates `adapters`. Every load must call this: PEFT activates what it loads, even partially."""
        self._applied = adapters
        if adapters:
            names, weights = zip(*adapters, strict=True)
            self._parts.enable_lora()
            self._parts.set_adapters(list(names), list(weights))
        elif self._loaded:
            self._parts.disable_lora()
