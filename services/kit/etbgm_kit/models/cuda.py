"""Device names, and detection of CUDA devices without loading a library that uses them."""

import ctypes
from importlib.metadata import PackageNotFoundError, files, version
from typing import Literal

Device = Literal["cpu", "cuda"]
WantedDevice = Literal["auto", "cpu", "cuda"]
"""The device in the settings; `auto` selects the first CUDA device if there is one."""


def has_device() -> bool:
    """Whether the CUDA driver has a device.

    Asks the driver directly: onnxruntime does not report devices, and torch takes seconds to load.
    """
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def load(library: str, wheel: str) -> bool:
    """Loads a CUDA library, so that later loads by name in this process find it.

    Takes it from NVIDIA's `wheel` if installed, because the linker does not search there; otherwise from
    the linker's path. `library` is a name such as "libcublas.so.12". Returns whether the load succeeded.
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
    """Whether torch can probably compute on CUDA. Does not load torch, which would take seconds."""
    try:
        return has_device() and not version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False
