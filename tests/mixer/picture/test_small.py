"""Small pictures of high dynamic range, rotated, of changing pace and of fields."""

import subprocess
from pathlib import Path

import pytest

from etbgm_kit.types import Cut
from etbgm_mixer.media.probe import Limits, probe
from etbgm_mixer.picture.look import look
from etbgm_mixer.picture.reader import Reader
from etbgm_mixer.picture.seconds import Looks
from tests.mixer.conftest import MakeClip

pytestmark = pytest.mark.process

BRIGHT = "gradients=s=320x180:r=25:d=2:seed=2:c0=white:c1=orange:speed=0.01"


def test_high_dynamic_range_looks_like_standard_range(make_clip: MakeClip, limits: Limits) -> None:
    wide = "zscale=tin=709:min=709:pin=709:t=smpte2084:p=2020:m=2020_ncl:npl=203,format=yuv420p10le"
    tagged = ["-color_trc", "smpte2084", "-color_primaries", "bt2020", "-colorspace", "bt2020nc"]
    sdr = make_clip("sdr.mkv", "-pix_fmt", "yuv420p", "-colorspace", "bt709", picture=BRIGHT, tone=False)
    source = f"{BRIGHT},format=yuv420p,setparams=colorspace=bt709:color_trc=bt709:color_primaries=bt709"
    hdr = make_clip("hdr.mkv", "-vf", wide, *tagged, picture=source, tone=False)
    looks = [seen(path, limits)[1] for path in (sdr, hdr)]
    assert looks[1].light == pytest.approx(looks[0].light, abs=0.05)
    assert looks[1].colour == pytest.approx(looks[0].colour, abs=0.05)


def test_cuts_of_a_rotated_film_of_changing_pace_are_found(make_clip: MakeClip, limits: Limits) -> None:
    halves = "testsrc2=s=320x180:r=25:d=1[a];mandelbrot=s=320x180:r=25,trim=end_frame=40[b]"
    paced = "concat=n=2,setpts='if(lt(N,25),N*2,50+3*(N-25))/25/TB'"
    clip = make_clip(
        "a.mp4", "-fps_mode", "passthrough", "-c:v", "libx264", picture=f"{halves};[a][b]{paced}", tone=False
    )
    turned = make_turned(clip)
    cuts, looks = seen(turned, limits)
    assert [cut.time_s for cut in cuts] == pytest.approx([2.0], abs=0.13)
    assert len(looks.motion) == pytest.approx(7, abs=1)


@pytest.mark.parametrize(
    ("options", "is_divisible"), [([], True), (["-vf", "setfield=tff", "-flags", "+ilme+ildct"], False)]
)
def test_fields_are_not_divided(make_clip: MakeClip, options: list[str], is_divisible: bool) -> None:
    clip = make_clip("a.mkv", "-c:v", "libx264", *options, picture="testsrc2=s=160x128:r=25:d=1", tone=False)
    assert Reader(clip, 0, 0.0).is_divisible == is_divisible


def make_turned(clip: Path) -> Path:
    """Copies the clip, to be shown turned."""
    turned = clip.with_name("turned.mp4")
    rotation = ["-c", "copy", "-metadata:s:v", "rotate=90"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", clip, *rotation, turned], check=True)
    return turned


def seen(path: Path, limits: Limits) -> tuple[list[Cut], Looks]:
    """What is found in a video."""
    facts = probe(path, limits)
    pixels = facts.video.width * facts.video.height
    return look(path, facts.video.index, facts.origin_s, facts.duration_s, pixels, lambda _: None)
