"""The speech to text service, assembled."""

from etbgm.stt.v1 import stt_pb2, stt_pb2_grpc
from etbgm_kit.calls import Calls
from etbgm_kit.memo import Memo
from etbgm_kit.runner import Runner
from etbgm_kit.scratch import Scratch
from etbgm_kit.server import Service
from etbgm_kit.store import ArtifactStore
from etbgm_stt.pocketsphinx_engine import PocketsphinxRecogniser
from etbgm_stt.servicer import SpeechToTextServicer
from etbgm_stt.settings import Settings
from etbgm_stt.transcriber import Transcriber


def build(settings: Settings) -> Service:
    """Puts store, recogniser and servicer together."""
    store = ArtifactStore(settings.store_url, Scratch(settings.work_dir))
    runner = Runner(settings.slots, settings.waiting)
    recogniser = PocketsphinxRecogniser(settings.decoders)
    transcriber = Transcriber(store, recogniser)
    calls = Calls(runner, Memo(store), lambda: recogniser.engine.revision)
    servicer = SpeechToTextServicer(calls, transcriber)
    return Service(
        name="stt",
        full_name=stt_pb2.DESCRIPTOR.services_by_name["SpeechToTextService"].full_name,
        settings=settings,
        runner=runner,
        add_to=lambda server: stt_pb2_grpc.add_SpeechToTextServiceServicer_to_server(servicer, server),
        load=recogniser.load,
        close=recogniser.close,
    )
