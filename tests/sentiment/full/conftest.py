"""Tiny classifiers, made once."""

from pathlib import Path

import pytest

from etbgm_kit.types import Emotion
from etbgm_sentiment.model_folder import Precision


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder whose classifier knows what "happy" means."""
    from tests.sentiment.full import tiny

    return tiny.trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as an int8 model folder."""
    from etbgm_sentiment.export.command import export_any
    from etbgm_sentiment.export.huggingface import Origin

    folder = tmp_path_factory.mktemp("exported")
    origin = Origin(str(trained), "", "tiny", "a test", "Apache-2.0", ("en",))
    export_any(origin, dict[str, Emotion](), Precision.INT8, folder, None)
    return folder
