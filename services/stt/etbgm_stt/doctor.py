"""Prints the recogniser chosen on this machine as JSON: `python -m etbgm_stt.doctor`."""

from etbgm_kit.serving.diagnosis import Part, answer, package
from etbgm_stt.choice import Choice, choose, find_available
from etbgm_stt.settings import Settings


def _choose(settings: Settings) -> tuple[str, Choice]:
    available = find_available(settings.models_dir, settings.whisper_model)
    choice = choose(settings.device, settings.whisper_model, available)
    return f"faster-whisper ({choice.model.name})", choice


def _parts(_: Settings) -> tuple[Part, ...]:
    return package("faster-whisper"), package("ctranslate2")


if __name__ == "__main__":
    answer(Settings, _choose, _parts)
