"""Assembles the riffusion service."""

from etbgm.riffusion.v1 import riffusion_pb2, riffusion_pb2_grpc
from etbgm_kit.artifacts.memo import Memo
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Service
from etbgm_riffusion.choice import Choice, NoRiffusion, choose, find_available
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.engine import MusicEngine
from etbgm_riffusion.service import RiffusionService
from etbgm_riffusion.servicer import RiffusionServicer
from etbgm_riffusion.settings import Settings


def build(settings: Settings) -> Service:
    """Builds the service from its store, engine and servicer."""
    scratch = Scratch(settings.work_dir)
    store = ArtifactStore(settings.store_url, scratch)
    runner = Runner(_slots(settings), settings.waiting)
    service = RiffusionService(lambda: _engine(settings), store, scratch)
    calls = Calls(runner, Memo(store), lambda: service.revision)
    servicer = RiffusionServicer(calls, service)
    return Service(
        name="riffusion",
        full_name=riffusion_pb2.DESCRIPTOR.services_by_name["RiffusionService"].full_name,
        settings=settings,
        runner=runner,
        add_to=lambda server: riffusion_pb2_grpc.add_RiffusionServiceServicer_to_server(servicer, server),
        load=service.load,
        close=service.close,
    )


def _choice(settings: Settings) -> Choice:
    available = find_available(settings.models_dir, settings.riffusion_model)
    return choose(settings.riffusion_engine, settings.device, settings.riffusion_model, available)


def _slots(settings: Settings) -> int:
    """Returns the number of concurrent calls: Riffusion shares batches among calls, the composer does not."""
    try:
        engine = _choice(settings).engine
    except NoRiffusion:  # the missing parts may become available while the server waits
        engine = "riffusion"
    return _painted_calls(settings) if engine == "riffusion" else settings.slots


def _painted_calls(settings: Settings) -> int:
    return max(settings.painted_calls, settings.slots)


def _engine(settings: Settings) -> tuple[MusicEngine, tuple[str, ...]]:
    """Returns the chosen engine, and advice on a better setup."""
    choice = _choice(settings)
    composer = ComposerEngine(settings.soundfont)
    if choice.model is None:
        return composer, choice.advice
    from etbgm_riffusion.diffusion.engine import DiffusionEngine, Means

    means = Means(
        model=choice.model,
        device=choice.device,
        prompts_file=settings.prompts_file,
        adapters_dir=settings.adapters_dir or settings.models_dir / "adapters",
        rows=settings.max_batch,
        calls=_painted_calls(settings),
        precision=settings.precision,
        compile_unet=settings.compile_unet,
    )
    return DiffusionEngine(composer, means), choice.advice
