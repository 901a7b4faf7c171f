"""Assembles the speech-to-text service."""

from etbgm.stt.v1 import stt_pb2, stt_pb2_grpc
from etbgm_kit.artifacts.memo import Memo
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Service
from etbgm_stt.choice import choose, find_available
from etbgm_stt.recogniser import Recogniser
from etbgm_stt.service import SpeechToTextService
from etbgm_stt.servicer import SpeechToTextServicer
from etbgm_stt.settings import Settings
from etbgm_stt.whisper_engine import WhisperRecogniser
from etbgm_stt.whisper_model import WhisperParams

CUDA_BATCH = 8
"""Windows per batch that keep a GPU busy. On a CPU, batches only delay progress and cancellation."""


def build(settings: Settings) -> Service:
    """Connects the store, the recogniser and the servicer."""
    store = ArtifactStore(settings.store_url, Scratch(settings.work_dir))
    runner = Runner(settings.slots, settings.waiting)
    service = SpeechToTextService(store, lambda: _recogniser(settings))
    calls = Calls(runner, Memo(store), lambda: service.revision)
    servicer = SpeechToTextServicer(calls, service)
    return Service(
        name="stt",
        full_name=stt_pb2.DESCRIPTOR.services_by_name["SpeechToTextService"].full_name,
        settings=settings,
        runner=runner,
        add_to=lambda server: stt_pb2_grpc.add_SpeechToTextServiceServicer_to_server(servicer, server),
        load=service.load,
        close=service.close,
    )


def _recogniser(settings: Settings) -> tuple[Recogniser, tuple[str, ...]]:
    """Returns the chosen recogniser and advice on better options."""
    available = find_available(settings.models_dir, settings.whisper_model)
    choice = choose(settings.device, settings.whisper_model, available)
    cuda = choice.device == "cuda"
    compute_type = {"auto": "float16" if cuda else "int8"}.get(settings.whisper_compute_type)
    params = WhisperParams(
        choice.model.name,
        choice.model.folder,
        device=choice.device,
        compute_type=compute_type or settings.whisper_compute_type,
        beam_size=settings.whisper_beam_size,
        batch_windows=settings.whisper_batch_size or (CUDA_BATCH if cuda else 1),
        threads=settings.whisper_threads,
        workers=settings.slots,
    )
    return WhisperRecogniser(params), choice.advice
