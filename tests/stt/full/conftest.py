"""An untrained Whisper, as transformers saves it and converted."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model, saved by transformers."""
    import torch

    from .untrained import save_untrained

    folder = tmp_path_factory.mktemp("source")
    torch.manual_seed(1)
    save_untrained(folder)
    return folder


@pytest.fixture(scope="session")
def converted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for faster-whisper."""
    from etbgm_stt.convert import convert

    folder = tmp_path_factory.mktemp("converted")
    convert(source, folder, "float32")
    return folder
