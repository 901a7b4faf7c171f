"""Prints the classifier chosen on this machine as JSON: `python -m etbgm_sentiment.doctor`."""

from etbgm_kit.serving.diagnosis import Part, answer, package
from etbgm_sentiment.choice import Choice, choose, find_available
from etbgm_sentiment.settings import Settings


def _choose(settings: Settings) -> tuple[str, Choice]:
    available = find_available(settings.models_dir, settings.classifier_model)
    choice = choose(settings.device, settings.classifier_model, available)
    return choice.folder.name, choice


def _parts(_: Settings) -> tuple[Part, ...]:
    runtimes = [runtime for name in ("onnxruntime", "onnxruntime-gpu") if (runtime := package(name)).found]
    return *(runtimes or [package("onnxruntime")]), package("tokenizers")


if __name__ == "__main__":
    answer(Settings, _choose, _parts)
