"""The riffusion service, assembled."""

from etbgm.riffusion.v1 import riffusion_pb2, riffusion_pb2_grpc
from etbgm_kit.calls import Calls
from etbgm_kit.memo import Memo
from etbgm_kit.runner import Runner
from etbgm_kit.scratch import Scratch
from etbgm_kit.server import Service
from etbgm_kit.store import ArtifactStore
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.musician import Musician
from etbgm_riffusion.servicer import RiffusionServicer
from etbgm_riffusion.settings import Settings


def build(settings: Settings) -> Service:
    """Puts store, engine and servicer together."""
    scratch = Scratch(settings.work_dir)
    store = ArtifactStore(settings.store_url, scratch)
    runner = Runner(settings.slots, settings.waiting)
    musician = Musician(lambda: ComposerEngine(settings.soundfont), store, scratch)
    calls = Calls(runner, Memo(store), lambda: musician.engine.info().revision)
    servicer = RiffusionServicer(calls, musician)
    return Service(
        name="riffusion",
        full_name=riffusion_pb2.DESCRIPTOR.services_by_name["RiffusionService"].full_name,
        settings=settings,
        runner=runner,
        add_to=lambda server: riffusion_pb2_grpc.add_RiffusionServiceServicer_to_server(servicer, server),
        load=musician.load,
        close=musician.close,
    )
