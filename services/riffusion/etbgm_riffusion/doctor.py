"""Prints which music engine this machine would use, as JSON: `python -m etbgm_riffusion.doctor`."""

from etbgm_kit.serving.diagnosis import Part, answer, package
from etbgm_riffusion.choice import Choice, choose, find_available
from etbgm_riffusion.composer.sound.installed import find_soundfont, find_synth
from etbgm_riffusion.settings import Settings


def _choose(settings: Settings) -> tuple[str, Choice]:
    find_synth(find_soundfont(settings.soundfont))  # the composer writes the music for every engine
    available = find_available(settings.models_dir, settings.riffusion_model)
    choice = choose(settings.riffusion_engine, settings.device, settings.riffusion_model, available)
    return choice.engine, choice


def _parts(settings: Settings) -> tuple[Part, ...]:
    soundfont = synth = ""
    try:
        path = find_soundfont(settings.soundfont)
        soundfont, synth = str(path), find_synth(path).name
    except RuntimeError:
        pass
    sounds = Part(name="synthesiser", found=synth), Part(name="SoundFont", found=soundfont)
    return *sounds, package("torch"), package("diffusers")


if __name__ == "__main__":
    answer(Settings, _choose, _parts)
