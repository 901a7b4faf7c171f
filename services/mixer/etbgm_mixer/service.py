"""The mixer service, assembled."""

from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm_kit.calls import Calls
from etbgm_kit.memo import Memo
from etbgm_kit.runner import Runner
from etbgm_kit.scratch import Scratch
from etbgm_kit.server import Service
from etbgm_kit.store import ArtifactStore
from etbgm_mixer.choice import choose, find_available
from etbgm_mixer.probe import Limits
from etbgm_mixer.rnnoise_engine import RnnoiseSeparator
from etbgm_mixer.separator import Separator
from etbgm_mixer.servicer import MixerServicer
from etbgm_mixer.settings import Settings
from etbgm_mixer.studio import Studio


def build(settings: Settings) -> Service:
    """Puts store, studio and servicer together."""
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
    studio = Studio(store, scratch, limits, settings.media_timeout_s, lambda: _separator(settings))
    servicer = MixerServicer(Calls(runner, Memo(store), studio.revision), studio)
    return Service(
        name="mixer",
        full_name=mixer_pb2.DESCRIPTOR.services_by_name["MixerService"].full_name,
        settings=settings,
        runner=runner,
        add_to=lambda server: mixer_pb2_grpc.add_MixerServiceServicer_to_server(servicer, server),
        load=studio.load,
    )


def _separator(settings: Settings) -> tuple[Separator, tuple[str, ...]]:
    """The separator that settings and what is there decide on, and its notes."""
    available = find_available(settings.models_dir, settings.demucs_model)
    choice = choose(settings.separation_engine, settings.device, settings.demucs_model, available)
    if choice.folder is None:
        return RnnoiseSeparator(), choice.notes
    from etbgm_mixer.demucs_engine import DemucsSeparator

    return DemucsSeparator(choice.folder, choice.device), choice.notes
