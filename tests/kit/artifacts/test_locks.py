"""A file's lock has one holder at a time."""

from pathlib import Path

import pytest

from etbgm_cli.child import StackError
from etbgm_cli.stack import StackOptions, stack
from etbgm_kit.artifacts.locks import locked


def test_a_lock_has_one_holder_and_is_free_afterwards(tmp_path: Path) -> None:
    with locked(tmp_path / "lock") as first, locked(tmp_path / "lock") as second:
        assert (first, second) == (True, False)
    with locked(tmp_path / "lock") as later:
        assert later


async def test_two_stacks_do_not_share_a_data_folder(tmp_path: Path) -> None:
    options = StackOptions(f"file://{tmp_path}/store", tmp_path / "data", tmp_path / "logs", print)
    (tmp_path / "data").mkdir()
    with locked(tmp_path / "data" / "lock"), pytest.raises(StackError, match="another etbgm is running on"):
        async with stack(options):
            pass
