"""`etbgm run` with a gateway: options reach the job's settings, results their place."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.client.cli.finishing import FinishingGateway, etbgm, files, refused, run
from tests.client.served import served


class KeepingGateway(FinishingGateway):
    """Keeps the settings of the last job."""

    settings = pb.JobSettings()

    async def CreateJob(self, request: pb.CreateJobRequest, context: object) -> pb.CreateJobResponse:
        self.settings = request.settings
        return await super().CreateJob(request, context)


@pytest.mark.parametrize(("options", "ignored"), [([], False), (["--no-voice"], True)])
def test_the_voice_can_be_ignored(video: Path, options: list[str], ignored: bool) -> None:
    gateway = KeepingGateway()
    result = run(video, "--detach", *options, gateway=gateway)
    assert (result.exit_code, gateway.settings.ignore_voice) == (0, ignored), result.output


def test_the_video_is_not_written_over(video: Path) -> None:
    source = video.parent / "talk/variant-1.mp4"
    source.parent.mkdir()
    video.rename(source)
    assert f"the input {source} lies in {source.parent}, which" in refused(
        source, "-o", video.parent / "talk.mp4"
    )
    assert files(video.parent) == {"talk/variant-1.mp4": b"film"}


def test_an_edited_timeline_of_a_result_is_not_written_over(video: Path) -> None:
    assert run(video).exit_code == 0
    timeline = video.parent / "v-with-music/timeline.json"
    timeline.write_text("{}")
    assert f"the input {timeline} lies in {timeline.parent}, which" in refused(video, "--timeline", timeline)


@pytest.mark.parametrize("option", ["--captions", "--timeline"])
def test_missing_inputs_are_named_before_the_upload(video: Path, option: str) -> None:
    assert "no such file: words.srt" in refused(video, option, "words.srt")


def test_a_folder_as_output_is_refused_with_an_example(video: Path, tmp_path: Path) -> None:
    assert f"for example -o {tmp_path}/v-with-music.mp4" in refused(video, "-o", tmp_path)


def test_a_long_name_is_refused_before_the_upload(video: Path) -> None:
    long = video.with_name(f"{'a' * 241}.mp4")
    video.rename(long)
    assert "choose a shorter one with -o" in refused(long)
    result = run(long, "-o", long.with_name("b" * 241 + ".mp4"))
    assert result.exit_code == 0, result.output


def test_a_later_run_replaces_the_earlier_result(video: Path) -> None:
    assert run(video, "--variants", "3").exit_code == 0
    (video.parent / "v-with-music/notes.txt").write_bytes(b"mine")
    assert run(video, "--variants", "1").exit_code == 0
    folder = "v-with-music"
    assert set(files(video.parent)) == {
        "v.mp4", "v-with-music.mp4", f"{folder}/etbgm-result.json", f"{folder}/notes.txt",
        f"{folder}/report.json", f"{folder}/speech.flac", f"{folder}/variant-1.mp4",
        f"{folder}/variant-1.music.flac", f"{folder}/variant-1.stems/lead.flac",
    }  # fmt: skip


class BreakingGateway(FinishingGateway):
    """Its last file cannot be downloaded."""

    async def DownloadArtifact(
        self, request: pb.DownloadArtifactRequest, context: "grpc.aio.ServicerContext[object, object]"
    ) -> AsyncIterator[pb.DownloadArtifactResponse]:
        if request.uri == "report":
            await context.abort(grpc.StatusCode.DATA_LOSS, "the artifact is damaged")
        yield pb.DownloadArtifactResponse(data=b"new")


@pytest.mark.parametrize("has_earlier_result", [True, False])
def test_a_failed_run_changes_nothing(video: Path, has_earlier_result: bool) -> None:
    if has_earlier_result:
        assert run(video).exit_code == 0
    before = files(video.parent)
    result = run(video, gateway=BreakingGateway())
    assert (result.exit_code, result.stderr) == (1, "error: the artifact is damaged\n")
    assert files(video.parent) == before


@pytest.mark.parametrize("name", ["a [1080p].mp4", "[/b].mp4", "two\nlines\x1b[31m.mp4", "it's :heart:.mp4"])
def test_any_name_is_printed_as_it_is(video: Path, name: str) -> None:
    (video.parent / name).parent.mkdir(exist_ok=True)
    video = video.rename(video.parent / name)
    result = run(video)
    shown = name.removesuffix(".mp4").replace("\n", r"\n").replace("\x1b", r"\x1b")
    assert (result.exit_code, result.exception) == (0, None)
    assert f"/{shown}-with-music.mp4; all variants" in result.stdout.splitlines()[-1]
    video.write_bytes(b"broken")
    result = run(video, video.with_name("missing.mp4"))
    assert result.exit_code == 1
    assert f"/{shown}.mp4: video: has no [/b] picture" in result.stderr


def videos(folder: Path, **contents: bytes) -> list[Path]:
    paths = [folder / f"{name}.mp4" for name in contents]
    for path in paths:
        path.write_bytes(contents[path.stem])
    return paths


def test_several_videos_are_processed_even_if_some_fail(tmp_path: Path) -> None:
    given = videos(tmp_path, a=b"film", b=b"broken", c=b"", d=b"tape")
    result = run(*given, tmp_path / "e.mp4")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error: {tmp_path}/c.mp4: video: is empty",
        f"error: {tmp_path}/e.mp4: video: no such file: {tmp_path}/e.mp4",
        f"error: {tmp_path}/b.mp4: video: has no [/b] picture",
    ]
    wrote = [line for line in result.stdout.splitlines() if line.startswith("Wrote")]
    assert wrote == [
        f"Wrote {tmp_path}/{name}-with-music.mp4; all variants and parts are in {tmp_path}/{name}-with-music/"
        for name in ("a", "d")
    ]
    assert not (tmp_path / "b-with-music").exists()


def test_several_videos_succeed(tmp_path: Path) -> None:
    result = run(*videos(tmp_path, a=b"film", b=b"tape"))
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["new", "there"])
def test_several_results_go_to_one_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/notes.txt").write_bytes(b"mine")
    result = run(*videos(tmp_path, a=b"film", b=b"tape"), "-o", tmp_path / name)
    assert result.exit_code == 0, result.output
    made = {path.name for path in (tmp_path / name).iterdir()} - {"notes.txt"}
    assert made == {"a-with-music", "a-with-music.mp4", "b-with-music", "b-with-music.mp4"}


def test_several_videos_need_a_folder(tmp_path: Path) -> None:
    given = videos(tmp_path, a=b"film", b=b"tape")
    for output in (given[0], tmp_path / "new.mkv"):
        assert "output: must be a folder when there are several videos" in refused(*given, "-o", output)


def test_results_with_the_same_name_are_refused(tmp_path: Path) -> None:
    (one,) = videos(tmp_path, a=b"film")
    shutil.copy(one, one.with_suffix(".mov"))
    said = refused(one, one.with_suffix(".mov"))
    assert f"the results of {one} and {one.with_suffix('.mov')} would both be {tmp_path}/a-with-music" in said


def test_a_result_is_not_written_over_another_input(tmp_path: Path) -> None:
    given = videos(tmp_path, **{"a": b"film", "a-with-music": b"tape"})
    result = run(*given)
    assert result.exit_code == 1
    assert "a-with-music.mp4 is an input and must not be written over" in result.stderr
    assert given[1].read_bytes() == b"tape"


@pytest.mark.parametrize("option", ["captions", "timeline"])
def test_captions_and_timelines_belong_to_one_video(tmp_path: Path, option: str) -> None:
    given = videos(tmp_path, a=b"film", b=b"tape")
    assert f"{option}: belongs to one video, but 2 are given" in refused(*given, f"--{option}", given[0])


def test_detached_jobs_are_printed_one_a_line(tmp_path: Path) -> None:
    result = run(*videos(tmp_path, a=b"film", b=b"tape"), "--detach")
    assert (result.exit_code, result.stdout) == (0, "job-1\njob-2\n")


def test_fetch_writes_only_to_new_folders_and_results(tmp_path: Path, video: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_bytes(b"mine")
    with served(FinishingGateway()) as address:
        assert etbgm("run", video, "--detach", "--gateway", address).exit_code == 0
        for _ in range(2):
            fetched = etbgm("jobs", "fetch", "job-1", "-o", tmp_path / "got", "--gateway", address)
            assert fetched.exit_code == 0, fetched.output
    assert (tmp_path / "got/variant-4.mp4").exists()
    result = etbgm("jobs", "fetch", "job-1", "-o", other, "--gateway", "127.0.0.1:1")
    assert result.exit_code == 2
    assert "not a result of etbgm" in result.stderr
    assert files(other) == {"notes.txt": b"mine"}


def test_a_job_is_shown_as_json(video: Path) -> None:
    video.write_bytes(b"broken")
    with served(FinishingGateway()) as address:
        assert etbgm("run", video, "--detach", "--gateway", address).exit_code == 0
        shown = etbgm("jobs", "show", "job-1", "--gateway", address)
    assert json.loads(shown.stdout)["error"]["message"] == "video: has no [/b] picture"
