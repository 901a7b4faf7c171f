"""The voices: each module writes one part of one bar."""

from etbgm_riffusion.composer.voices.bass import bass
from etbgm_riffusion.composer.voices.counter import counter
from etbgm_riffusion.composer.voices.drums import drums
from etbgm_riffusion.composer.voices.keys import keys
from etbgm_riffusion.composer.voices.lead import lead
from etbgm_riffusion.composer.voices.pad import pad
from etbgm_riffusion.composer.voices.part import Part, VoiceWriter

WRITERS: dict[str, VoiceWriter] = {
    "lead": lead,
    "counter": counter,
    "keys": keys,
    "pad": pad,
    "bass": bass,
    "drums": drums,
}
"""The writer of each role."""

__all__ = ["WRITERS", "Part", "VoiceWriter"]
