"""Converts what was seen in the picture: cuts and its mood."""

import math
from collections.abc import Iterable

from etbgm.media.v1 import media_pb2 as pb
from etbgm_kit.converters import seconds_from_pb, seconds_to_pb
from etbgm_kit.errors import InvalidField
from etbgm_kit.types import Cut, CutKind, PictureMood

_CUT_KINDS = tuple(CutKind)


def cuts_from_pb(messages: Iterable[pb.Cut], field: str, duration_s: float = math.inf) -> tuple[Cut, ...]:
    """The cuts. Raises InvalidField unless they are in order, distinct, inside (0, duration) and known."""
    cuts: list[Cut] = []
    for i, message in enumerate(messages):
        time_s = seconds_from_pb(message.time)
        if not 0 < time_s < duration_s:
            end = f", before the end at {duration_s:.3f} s" if math.isfinite(duration_s) else ""
            raise InvalidField(f"{field}[{i}].time", f"must be after 0 s{end}, is {time_s:.3f} s")
        if cuts and time_s <= cuts[-1].time_s:
            before = f"the cut before it, at {cuts[-1].time_s:.3f} s"
            raise InvalidField(f"{field}[{i}].time", f"must be after {before}, is {time_s:.3f} s")
        strength = message.strength if message.HasField("strength") else 1.0
        if not 0 <= strength <= 1:
            raise InvalidField(f"{field}[{i}].strength", f"must be in [0, 1], is {strength}")
        if not 0 <= message.kind <= len(_CUT_KINDS):
            raise InvalidField(f"{field}[{i}].kind", "must be a known kind")
        if message.origin not in pb.CutOrigin.values():
            raise InvalidField(f"{field}[{i}].origin", "must be a known origin")
        kind, by_user = _CUT_KINDS[max(0, message.kind - 1)], message.origin == pb.CUT_ORIGIN_USER
        cuts.append(Cut(time_s, strength, kind, by_user))
    return tuple(cuts)


def cut_to_pb(cut: Cut) -> pb.Cut:
    """The message for `cut`."""
    kind = pb.CutKind.Value(f"CUT_KIND_{cut.kind.name}")
    origin = pb.CUT_ORIGIN_USER if cut.by_user else pb.CUT_ORIGIN_PICTURE
    return pb.Cut(time=seconds_to_pb(cut.time_s), strength=cut.strength, kind=kind, origin=origin)


def mood_from_pb(message: pb.PictureMood, field: str) -> PictureMood:
    """The mood. Raises InvalidField unless its curves are equally long and in their ranges."""
    curves = tuple(message.arousal), tuple(message.valence), tuple(message.certainty)
    if len({len(curve) for curve in curves}) > 1:
        raise InvalidField(field, "must have curves of the same length")
    for name, curve, lowest in zip(("arousal", "valence", "certainty"), curves, (-1, -1, 0), strict=True):
        if not all(lowest <= value <= 1 for value in curve):
            raise InvalidField(f"{field}.{name}", f"must be in [{lowest}, 1]")
    return PictureMood(*curves)


def mood_to_pb(mood: PictureMood) -> pb.PictureMood:
    """The message for `mood`."""
    return pb.PictureMood(arousal=mood.arousal, valence=mood.valence, certainty=mood.certainty)
