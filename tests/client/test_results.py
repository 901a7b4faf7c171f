"""Names in the result folder."""

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import transfers_pb2
from etbgm.media.v1 import media_pb2
from etbgm_client.results import UnsafeName, files_of

STORED = media_pb2.Artifact(uri="artifact://sha256/ab12")


def result(*names: str) -> pb.JobResult:
    return pb.JobResult(files=[transfers_pb2.File(name=name, artifact=STORED) for name in names])


def test_files_have_the_names_that_the_gateway_gives() -> None:
    names = ["variant-1.mp4", "variant-1.stems/lead.flac", "transcript.en.srt"]
    assert list(files_of(result(*names))) == [(name, STORED) for name in names]


@pytest.mark.parametrize(
    "name",
    ["../../../etc/cron", "/etc/passwd", "a/b/c", "..", "", "a\x00b", ".hidden", "x" * 101, "a/../b", "a//b"],
)
def test_no_name_leaves_the_folder(name: str) -> None:
    with pytest.raises(UnsafeName):
        list(files_of(result("report.json", name)))
