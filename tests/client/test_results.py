"""Names in the result folder."""

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_client.results import UnsafeName, files_of

STORED = media_pb2.Artifact(uri="file:///store/artifacts/ab/ab12")


def result(container: str = "mp4", stem: str = "lead") -> pb.JobResult:
    part = pb.Variant(number=1, video=STORED)
    part.stems.add(name=stem, sound=STORED)
    return pb.JobResult(variants=[part], container=container, report=STORED)


def test_what_is_there_is_named_and_what_is_missing_is_not() -> None:
    names = [name for name, _ in files_of(result())]
    assert names == ["variant-1.mp4", "variant-1.stems/lead.flac", "report.json"]


@pytest.mark.parametrize(
    "name", ["../../../etc/cron", "/etc/passwd", "a/b", "..", "", "a\x00b", "lead.", "x" * 65]
)
def test_no_name_leaves_the_folder(name: str) -> None:
    for bad in (result(stem=name), result(container=name)):
        with pytest.raises(UnsafeName):
            list(files_of(bad))
