"""Assembles the mixer service."""

from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm_kit.artifacts.memo import Memo
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Service
from etbgm_mixer.choice import choose, find_available
from etbgm_mixer.media.probe import Limits
from etbgm_mixer.separation.deepfilter_engine import DeepFilterSeparator
from etbgm_mixer.separation.separator import Separator
from etbgm_mixer.service import MixerService
from etbgm_mixer.servicer import MixerServicer
from etbgm_mixer.settings import Settings


def build(settings: Settings) -> Service:
    """Connects the store, the service and the servicer."""
    scratch = Scratch(settings.work_dir)
    store = ArtifactStore(settings.store_url, scratch)
    runner = Runner(settings.slots, settings.waiting)
    limits = Limits(
        max_size_bytes=settings.max_size_bytes,
        max_duration_s=settings.max_duration_s,
        max_pixels=settings.max_pixels,
        max_streams=settings.max_streams,
        probe_timeout_s=settings.probe_timeout_s,
    )
    service = MixerService(store, scratch, limits, settings.media_timeout_s, lambda: _separator(settings))
    memo, watching = Memo(store), Runner(settings.slots, settings.waiting)
    servicer = MixerServicer(
        Calls(runner, memo, service.revision), Calls(watching, memo, service.revision), service
    )
    return Service(
        name="mixer",
        full_name=mixer_pb2.DESCRIPTOR.services_by_name["MixerService"].full_name,
        settings=settings,
        runner=runner,
        add_to=lambda server: mixer_pb2_grpc.add_MixerServiceServicer_to_server(servicer, server),
        load=service.load,
        other_runners=(watching,),
    )


def _separator(settings: Settings) -> tuple[Separator, tuple[str, ...]]:
    """Returns the chosen separator and advice on better options."""
    available = find_available(settings.models_dir, settings.demucs_model)
    choice = choose(settings.separation_engine, settings.device, settings.demucs_model, available)
    if choice.folder is None:
        return DeepFilterSeparator(), choice.advice
    from etbgm_mixer.separation.demucs_engine import DemucsSeparator

    return DemucsSeparator(choice.folder, choice.device), choice.advice
