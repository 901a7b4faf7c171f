"""Subtitle tracks become captions if they say something."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from etbgm_kit.media.captions import read_captions
from etbgm_mixer.media import subtitles
from etbgm_mixer.media.probe import Limits, probe
from etbgm_mixer.types import SubtitleStream
from tests.mixer.conftest import MakeClip

pytestmark = pytest.mark.process

Found = list[tuple[str, str]]
Read = Callable[[Path], Found]

WORDS = "1\n00:00:00,500 --> 00:00:01,500\n{}\n"
BLANK = "1\n00:00:00,500 --> 00:00:01,500\n\n\n"
LATE = "1\n00:00:02,500 --> 00:00:03,500\nToo late\n"
ASS = r"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,20,&H00FFFFFF&,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""  # noqa: E501


def ass(*texts: str) -> str:
    """Events of 0.5 s to 1.5 s on a layer each."""
    events = (f"Dialogue: {i},0:00:00.50,0:00:01.50,Default,,0,0,0,,{text}" for i, text in enumerate(texts))
    return ASS + "\n".join(events) + "\n"


@pytest.fixture
def read(limits: Limits, tmp_path: Path) -> Read:
    """The language and the words of each track that is found."""

    def run(video: Path) -> Found:
        found = subtitles.extract(video, probe(video, limits), tmp_path)
        spoken = ((stream.language, read_captions(text).segments) for stream, text in found)
        return [(language, " | ".join(one.text for one in segments)) for language, segments in spoken]

    return run


@pytest.fixture
def make(make_clip: MakeClip, tmp_path: Path) -> Callable[..., Path]:
    """A video of 2 s with a subtitle track for each file's content, and ffmpeg's options for them."""

    def run(name: str, codec: str, *contents: str, options: tuple[str, ...] = ()) -> Path:
        clip = make_clip("clip.mkv", "-c:v", "libx264", tone=False)
        inputs: list[str | Path] = ["-i", clip]
        for number, content in enumerate(contents):
            file = tmp_path / f"{number}.{'ass' if content.startswith('[') else 'srt'}"
            file.write_text(content)
            inputs += ["-i", file]
        maps = [part for number in range(len(contents) + 1) for part in ("-map", f"{number}")]
        command = ["ffmpeg", "-v", "error", *inputs, *maps, "-c:v", "copy", "-c:s", codec, *options]
        subprocess.run([*command, tmp_path / name], check=True)
        return tmp_path / name

    return run


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mov_text"), ("a.mkv", "srt"), ("a.webm", "webvtt")])
def test_text_is_on_the_videos_clock(
    make: Callable[..., Path], limits: Limits, tmp_path: Path, name: str, codec: str
) -> None:
    options = ("-c:v", "libvpx", "-deadline", "realtime") if name.endswith("webm") else ()
    video = make(name, codec, WORDS.format("Hello <i>there</i>"), options=options)
    [(_, text)] = subtitles.extract(video, probe(video, limits), tmp_path)
    assert "00:00.500 --> 00:01.500" in text
    assert [one.text for one in read_captions(text).segments] == ["Hello there"]


@pytest.mark.parametrize("content", [BLANK, LATE, WORDS.format("[music]")])
def test_tracks_that_say_nothing_are_left_out(make: Callable[..., Path], read: Read, content: str) -> None:
    assert read(make("a.mkv", "srt", content, WORDS.format("Hello"))) == [("", "Hello")]
    assert read(make("b.mkv", "srt", content)) == []


def test_drawings_and_styles_are_no_words(make: Callable[..., Path], read: Read) -> None:
    drawing, mixed = (
        r"{\p1\pos(10,10)}m 0 0 l 100 0 100 50{\p0}",
        r"{\p2}m 0 0 l 5 5{\p0}Now {\b1\pos(1,1)}look",
    )
    assert read(make("a.mkv", "ass", ass(drawing, mixed))) == [("", "Now look")]
    assert read(make("b.mkv", "ass", ass(drawing))) == []


def test_layers_and_special_characters_of_ass(make: Callable[..., Path], read: Read) -> None:
    text = r"{\k20}Me & you:{\i1} 2 <{\i0} 3\Nreally\h{}"
    assert read(make("a.mkv", "ass", ass(text, text, "{Comment}"))) == [("", "Me & you: 2 < 3 really")]


def test_the_best_track_is_first(make: Callable[..., Path], read: Read) -> None:
    flags = {
        "forced+default": "eng",
        "hearing_impaired": "fre",
        "0": "ger",
        "comment": "ita",
        "default": "spa",
    }
    options: list[str] = []
    for number, (flag, language) in enumerate(flags.items()):
        options += [f"-disposition:s:{number}", flag, f"-metadata:s:s:{number}", f"language={language}"]
    video = make("a.mkv", "srt", *map(WORDS.format, flags.values()), options=tuple(options))
    assert [language for language, _ in read(video)] == ["spa", "ger", "fre", "eng", "ita"]


def test_a_track_that_cannot_be_read_does_not_spoil_the_others(
    make: Callable[..., Path], limits: Limits, tmp_path: Path
) -> None:
    video = make("a.mkv", "srt", WORDS.format("Hello"))
    facts = probe(video, limits)
    picture = SubtitleStream(facts.video.index, "subrip", "")
    found = subtitles.extract(video, replace(facts, subtitles=(picture, *facts.subtitles)), tmp_path)
    assert [stream for stream, _ in found] == list(facts.subtitles)


def test_many_layers_of_tags_take_linear_time() -> None:
    text = ass(*[r"{\b1}" * 200_000 + "{" * 200_000 + "end"])
    assert subtitles.vtt_of_ass(text) == "WEBVTT\n\n"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("emptysub.mp4", []),
        (
            "twosubs.mkv",
            [
                ("eng", "I am so angry about this, it makes me furious | I hate this, it is an outrage"),
                ("spa", "Estoy muy enfadado, esto es una injusticia terrible | Me da mucho miedo y tristeza"),
            ],
        ),
        ("assdraw.mkv", [("", "I love this so much really | What a wonderful day")]),
    ],
)
def test_tracks_of_real_files(test_data: Path, read: Read, name: str, found: Found) -> None:
    assert read(test_data / "field" / name) == found
