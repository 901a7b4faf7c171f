"""Libraries that come in wheels."""

from importlib.metadata import files

from etbgm_kit.models import cuda


def test_a_library_is_loaded_from_its_wheel() -> None:
    (inside,) = {file.name for file in files("soundfile") or () if "libsndfile" in file.name}
    assert not cuda.load(inside, "wheel-that-is-not-installed")
    assert cuda.load(inside, "soundfile")


def test_a_library_is_loaded_from_where_the_linker_looks() -> None:
    assert cuda.load("libc.so.6", "wheel-that-is-not-installed")
    assert cuda.load("libc.so.6", "soundfile")


def test_a_library_that_is_nowhere_is_not_loaded() -> None:
    assert not cuda.load("libcublas.so.0", "soundfile")
