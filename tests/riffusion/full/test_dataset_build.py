"""Data sets built of a folder of music: what is in them, and that they can be continued."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

from etbgm_kit.types import Emotion
from etbgm_riffusion.cli import app
from etbgm_riffusion.dataset.build import Music, build
from etbgm_riffusion.dataset.compose import ComposeSettings, compose_dataset
from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.inspect import findings_in, stats_of
from etbgm_riffusion.dataset.layout import Layout
from etbgm_riffusion.dataset.manifest import RightsMissing
from etbgm_riffusion.dataset.types import DatasetError
from etbgm_riffusion.diffusion.painter import PEAK
from etbgm_riffusion.spectrogram import image
from tests.riffusion.dataset.sounds import RATE_HZ
from tests.riffusion.full.datasets import MANIFEST, built, composer, contents, no_progress, write_music


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("music")
    write_music(root)
    return root


@pytest.fixture(scope="module")
def waltz(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one piece of `music`."""
    root = tmp_path_factory.mktemp("waltz")
    (root / "joy").mkdir()
    shutil.copy(music / "joy" / "waltz.flac", root / "joy")
    (root / "manifest.csv").write_text(MANIFEST)
    return root


@pytest.fixture(scope="module")
def dataset(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of `music`; not to be changed."""
    out = tmp_path_factory.mktemp("dataset")
    assert built(music, out, previews=1).faults == ()
    return out


def test_rows_are_what_image_folders_need_and_images_what_riffusion_reads(dataset: Path) -> None:
    folder = DatasetFolder(dataset)
    sources = folder.dataset().sources
    assert {source.rights.licence for source in sources} == {"CC-BY-4.0"}
    assert {source.rights.owner for source in sources} == {"Test Studio"}
    names = []
    for split in ("train", "validation"):
        lines = (dataset / split / "metadata.jsonl").read_text().splitlines()
        assert lines
        for line in lines:
            row = json.loads(line)
            assert row.keys() >= {"file_name", "caption", "emotion", "source", "start_s", "licence"}
            assert row["emotion"] == row["source"].split("/")[0]
            names.append(f"{split}/{row['file_name']}")
    assert sorted(names) == sorted(
        path.relative_to(dataset).as_posix() for path in dataset.glob("[tv]*/*.png")
    )
    mel, params = image.load(dataset / names[0])
    assert (mel.shape, params.stereo) == ((2, 512, 512), True)
    with Image.open(dataset / names[0]) as picture:
        assert picture.getexif()[11080] == PEAK * 32768
    pieces = [{row.piece for row in folder.rows(split)} for split in ("train", "validation")]
    assert not pieces[0] & pieces[1]


def test_clips_have_the_level_of_the_composers_music(dataset: Path) -> None:
    folder = DatasetFolder(dataset)
    peaks = [float(image.load(folder.image("train", clip))[0].max()) for clip in folder.rows("train")]
    assert 100 < np.median(peaks) < PEAK


def test_the_same_music_gives_the_same_data_set_and_an_interrupted_build_continues(
    music: Path, dataset: Path, tmp_path: Path
) -> None:
    out, heard = tmp_path / "again", []

    def interrupt(source: str, _: float) -> None:
        heard.append(source)
        if source.endswith("bell.ogg"):
            raise KeyboardInterrupt

    whole, layout = Music(music, music / "manifest.csv"), Layout(previews=0, validation_share=0.3)
    with pytest.raises(KeyboardInterrupt):
        build(whole, out, layout, composer(), interrupt)
    with pytest.raises(RuntimeError, match="no finished data set"):
        DatasetFolder(out).dataset()
    written = {path.name: path.stat().st_mtime_ns for path in out.glob("train/march*.png")}
    assert written
    build(whole, out, layout, composer(), no_progress)
    ours, theirs = ({name: data for name, data in contents(each).items() if "index.html" not in name}
                    for each in (out, dataset))  # fmt: skip
    assert ours == {name: data for name, data in theirs.items() if not name.startswith("sounds/")}
    kept = {path.name: path.stat().st_mtime_ns for path in out.glob("*/march*.png")}
    assert kept == written, "what was there is not computed again"


def test_more_and_less_music_changes_only_its_clips(waltz: Path, tmp_path: Path) -> None:
    root, out = Path(shutil.copytree(waltz, tmp_path / "music")), tmp_path / "out"
    built(root, out)
    shutil.copy(root / "joy" / "waltz.flac", root / "joy" / "zweimal.flac")
    both = built(root, out).dataset
    alone = DatasetFolder(out)
    assert both.duplicates == len(alone.rows("train")) + len(alone.rows("validation")) > 0
    assert len(list((out / "duplicates").glob("*.png"))) == both.duplicates
    (root / "joy" / "waltz.flac").unlink()
    last = built(root, out).dataset
    assert (last.duplicates, [source.source for source in last.sources]) == (0, ["joy/zweimal.flac"])
    assert not list(out.glob("*/waltz*.png"))


def test_music_without_rights_is_refused_before_anything_is_written(music: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "rights.csv"
    manifest.write_text("source,licence,owner\njoy/*,own,Me\n")
    with pytest.raises(RightsMissing, match=r"sadness/bell\.ogg"):
        built(music, tmp_path / "out", manifest=manifest)
    assert not (tmp_path / "out").exists()


def test_a_folder_is_not_taken_from_others(music: Path, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "photo.png").write_bytes(b"mine")
    with pytest.raises(DatasetError, match="not empty, and no data set"):
        built(music, tmp_path)
    assert (tmp_path / "train" / "photo.png").read_bytes() == b"mine"
    with DatasetFolder(dataset).claimed(), pytest.raises(DatasetError, match="another process is writing"):
        built(music, dataset)


def test_nothing_that_can_be_used_is_an_error_that_says_why(tmp_path: Path) -> None:
    root = tmp_path / "music"
    root.mkdir()
    (root / "manifest.csv").write_text(MANIFEST)
    with pytest.raises(DatasetError, match="no audio files"):
        built(root, root / "dataset")
    (root / "empty.mp3").touch()
    (root / "bundle.wav").mkdir()
    (root / "dataset" / "sounds").mkdir(parents=True)
    soundfile.write(root / "dataset" / "sounds" / "own.flac", np.zeros((RATE_HZ, 2)), RATE_HZ)
    (root / "dataset" / "records").mkdir()
    with pytest.raises(DatasetError, match=r"can be used:\n  .*empty\.mp3 cannot be read: [^\n]*$"):
        built(root, root / "dataset")


def test_files_that_cannot_be_read_are_named_and_the_rest_is_used(music: Path, tmp_path: Path) -> None:
    root = tmp_path / "music"
    (root / "joy").mkdir(parents=True)
    (root / "manifest.csv").write_text(MANIFEST)
    whole = (music / "joy" / "waltz.flac").read_bytes()
    (root / "joy" / "half.flac").write_bytes(whole[: len(whole) * 2 // 3])
    (root / "joy" / "text.mp3").write_bytes(b"no music" * 100)
    soundfile.write(root / "joy" / "silence.wav", np.zeros((6 * RATE_HZ, 2)), RATE_HZ)
    made = built(root, tmp_path / "out")
    assert [fault.split()[-1] for fault in made.faults] == ["input", "s", "input"]
    half, silence, text = made.faults
    assert half.startswith("joy/half.flac could be read only up to 7.2 s")
    assert silence == "joy/silence.wav is silent or shorter than 5.12 s"
    assert "text.mp3 cannot be read" in text
    assert made.dataset.silent == 1
    assert {source.source: source.clips > 0 for source in made.dataset.sources} == {
        "joy/half.flac": True,
        "joy/silence.wav": False,
    }


def test_a_report_shows_and_plays_the_images(dataset: Path) -> None:
    with Image.open(dataset / "contact-sheet.png") as sheet:
        assert sheet.width > 1000
    page = (dataset / "index.html").read_text()
    assert page.count("<img ") == sum(DatasetFolder(dataset).dataset().clips.values())
    (sound,) = (dataset / "sounds").glob("*.flac")
    assert f'src="sounds/{sound.name}"' in page
    samples, rate = soundfile.read(sound)
    assert samples.shape == (512 * 441, 2)
    assert rate == RATE_HZ
    assert np.abs(samples).max() > 0.01


def test_mono_images_are_grey(waltz: Path, tmp_path: Path) -> None:
    built(waltz, tmp_path, stereo=False)
    path = next(tmp_path.glob("train/*.png"))
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert not image.load(path)[1].stereo


def _clip_image(path: Path, change: Callable[[np.ndarray], None]) -> None:
    with Image.open(path) as picture:
        exif, pixels = picture.getexif(), np.array(picture)
    change(pixels)
    Image.fromarray(pixels).save(path, exif=exif)


def test_a_check_finds_what_is_broken(dataset: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(dataset, tmp_path / "copy"))
    folder = DatasetFolder(copy)
    assert not [finding for finding in findings_in(folder) if finding.is_error]
    paths = [folder.image("train", clip) for clip in folder.rows("train")][:4]
    paths[0].write_bytes(paths[0].read_bytes()[:2000])
    _clip_image(paths[1], lambda pixels: pixels[100:200].fill(0))
    _clip_image(paths[2], lambda pixels: pixels.fill(255))
    _clip_image(paths[3], lambda pixels: pixels[:, 120:].fill(255))
    found = {(finding.where.split("/")[1], finding.what.split(":")[0])
             for finding in findings_in(folder) if "/" in finding.where}  # fmt: skip
    kinds = ("is broken", "is clipped", "is empty", "is off centre")
    assert found >= set(zip((path.name for path in paths), kinds, strict=True))
    result = CliRunner().invoke(app, ["dataset", "check", str(copy)])
    assert result.exit_code == 1
    assert "is broken" in result.output


def test_emotions_that_hardly_occur_are_named(dataset: Path) -> None:
    stats = stats_of(DatasetFolder(dataset))
    assert stats.emotions[Emotion.JOY] and stats.emotions[Emotion.SADNESS]
    warnings = [
        finding.what for finding in findings_in(DatasetFolder(dataset)) if finding.where == "emotions"
    ]
    assert len(warnings) == 5
    assert any(what.startswith("anger has 0 of") for what in warnings)


def test_the_composer_makes_a_data_set_of_all_emotions(tmp_path: Path) -> None:
    names: list[str] = []
    settings, layout = ComposeSettings("Me", ("pop",), (1, 2), 7.0), Layout(previews=0, validation_share=0.5)
    made = compose_dataset(tmp_path, settings, layout, composer(), names.append)
    assert len(names) == 14
    assert made.clips["train"] and made.clips["validation"]
    rows = DatasetFolder(tmp_path).rows("train")
    assert {row.emotion for row in rows} == set(Emotion)
    assert all("pop band" in row.caption and row.licence == "own" for row in rows)
    before = contents(tmp_path)
    compose_dataset(tmp_path, settings, layout, composer(), names.append)
    assert contents(tmp_path) == before
    with pytest.raises(RuntimeError, match="polka"):
        compose_dataset(tmp_path, ComposeSettings("Me", ("polka",)), layout, composer(), names.append)


def test_the_command_builds_and_counts(waltz: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    out = str(tmp_path / "out")
    refused = run(app, ["dataset", "build", str(waltz), "-o", out, "--manifest", str(tmp_path / "none.csv")])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "must state a licence and an owner" in refused.stderr
    made = run(app, ["dataset", "build", str(waltz), "-o", out, "--previews", "0"])
    assert made.exit_code == 0, made.output
    assert run(app, ["dataset", "stats", out]).exit_code == 0


def test_recorded_music_becomes_clips_on_its_beats(test_data: Path, tmp_path: Path) -> None:
    root = tmp_path / "music"
    (root / "joy").mkdir(parents=True)
    recording, part = test_data / "music" / "vibe_ace.ogg", root / "joy" / "vibe.ogg"
    command = ["ffmpeg", "-loglevel", "error", "-t", "32", "-i", recording, "-vn", "-c", "copy", part]
    subprocess.run(command, check=True)
    (root / "manifest.csv").write_text(MANIFEST)
    made = built(root, tmp_path / "out").dataset
    rows = DatasetFolder(tmp_path / "out").rows("train")
    assert (made.duplicates, len(rows)) == (0, 6)
    assert rows[0].tempo_bpm == pytest.approx(130, abs=1)
    assert "jazz" in rows[0].caption, "the file's tag names it"
    beat_s = 60 / 130
    steps = np.diff([row.start_s for row in rows]) / beat_s
    assert np.mean(np.abs(steps - np.round(steps)) < 0.1) > 0.8
