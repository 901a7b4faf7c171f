"""Where engines compute, and whether there is a CUDA device, before a library that uses it is loaded."""

import ctypes
from importlib.metadata import PackageNotFoundError, files, version
from typing import Literal

Device = Literal["cpu", "cuda"]
WantedDevice = Literal["auto", "cpu", "cuda"]
"""As the settings have it; `auto` takes the first CUDA device when there is one."""


def has_device() -> bool:
    """Asks the driver itself: onnxruntime does not tell, and torch takes seconds to load."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def load(library: str, wheel: str) -> bool:
    """Loads one of CUDA's libraries, so that who asks for it by name later in this process has it.

    It is taken from NVIDIA's `wheel` where that is installed, a place where the linker does not look; else
    from where it does. `library` is a name such as "libcublas.so.12". Whether it could be loaded.
    """
    try:
        inside = [str(file.locate()) for file in files(wheel) or () if file.name == library]
    except PackageNotFoundError:
        inside = []
    try:
        ctypes.CDLL(inside[0] if inside else library, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True


def torch_has_device() -> bool:
    """Whether torch can compute on CUDA, as far as can be told without loading it: it takes seconds."""
    try:
        return has_device() and not version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False
