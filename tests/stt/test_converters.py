"""Requests are equal when they ask for the same."""

from etbgm.stt.v1 import stt_pb2 as pb
from etbgm_stt.converters import with_defaults


def test_the_order_of_readable_languages_does_not_count() -> None:
    one, other = (
        pb.TranscribeRequest(readable_languages=tags) for tags in (["ko", "en", "ko"], ["en", "ko"])
    )
    assert with_defaults(one) == with_defaults(other) == other
    assert list(one.readable_languages) == ["ko", "en", "ko"], "the caller's request stays as it is"
