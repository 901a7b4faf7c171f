"""Controllers that change while the music plays: volume, expression and the sustain pedal."""

import math
from collections.abc import Iterator, Mapping, Sequence

from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.perform import Line
from etbgm_riffusion.composer.score import Bar, Control

VOLUME, EXPRESSION, SUSTAIN = 7, 11, 64

EXPRESSION_USUAL = 112
"""Leaves room for swells. GM Level 1: a gain of 40 log10(value / 127) dB."""

_SWELL_DB = 2.0
"""Level of the middle of a held voice's phrase, relative to its ends."""
_SWELLING = ("pad", "counter", "lead")

_PEDALLED = frozenset({0, 1, 2, 4, 5, 11, 46})
"""Programmes whose players let tones ring, by pedal or by hand: pianos, vibraphone, harp."""
_PEDAL_FROM = 0.8
"""Articulation from which they let tones ring."""

_PEDAL_AFTER_S = 0.03


def controls_of(
    lines: Sequence[Line],
    volumes: Mapping[tuple[int, str], int],
) -> tuple[Control, ...]:
    """Returns the values of all controllers where they change, ordered by time."""
    found = [*_volumes(lines, volumes), *_expressions(lines), *_pedals(lines)]
    return tuple(_changes(sorted(found)))


def rings(role: str, programme: int, articulation: float) -> bool:
    """Returns whether the player of this voice holds the pedal while a chord lasts."""
    return role == "keys" and programme in _PEDALLED and articulation >= _PEDAL_FROM


def _volumes(lines: Sequence[Line], volumes: Mapping[tuple[int, str], int]) -> Iterator[Control]:
    seen = set()
    for line in lines:
        place = (line.bar.section, line.role)
        if place not in seen and place in volumes:
            seen.add(place)
            yield Control(line.bar.start_s, line.channel, VOLUME, volumes[place])


def _expressions(lines: Sequence[Line]) -> Iterator[Control]:
    """Yields the usual level of all voices, and a swell over each phrase for held ones."""
    for line in lines:
        bar = line.bar
        for time_s in (bar.start_s, bar.time_s(bar.beats / 2)):
            gain_db = _swell_db(bar, time_s) if line.role in _SWELLING else 0.0
            value = round(EXPRESSION_USUAL * 10 ** (gain_db / 40))
            yield Control(time_s, line.channel, EXPRESSION, min(127, value))


def _swell_db(bar: Bar, time_s: float) -> float:
    place = (bar.number % PHRASE_BARS + (time_s - bar.start_s) / (bar.end_s - bar.start_s)) / PHRASE_BARS
    return _SWELL_DB * (math.sin(math.pi * place) - 0.5)


def _pedals(lines: Sequence[Line]) -> Iterator[Control]:
    """Presses the pedal just after each chord begins, and releases it just before the next one."""
    for line in lines:
        if line.rings:
            yield Control(line.bar.start_s + _PEDAL_AFTER_S, line.channel, SUSTAIN, 127)
            yield Control(line.bar.end_s - 0.005, line.channel, SUSTAIN, 0)


def _changes(controls: Sequence[Control]) -> Iterator[Control]:
    """Yields only the controls that change a value."""
    values: dict[tuple[int, int], int] = {}
    for control in controls:
        place = (control.channel, control.controller)
        if values.get(place) != control.value:
            values[place] = control.value
            yield control
