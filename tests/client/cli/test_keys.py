"""When a key expires."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from etbgm.gateway.v1 import keys_pb2
from etbgm_cli.keys import _time_of, _validity


def test_days_and_dates_are_understood() -> None:
    in_days = _time_of("90d") - datetime.now(UTC)
    assert timedelta(days=89) < in_days <= timedelta(days=90)
    assert _time_of("2027-01-31") == datetime(2027, 1, 31, tzinfo=UTC)
    assert _time_of("2027-01-31T12:00:00+09:00") == datetime(2027, 1, 31, 3, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "0d", "-1d", "90", "1000000d", "2027-13-01"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="90d"):
        _time_of(text)


def test_the_list_says_how_long_a_key_is_valid() -> None:
    key = keys_pb2.Key()
    assert _validity(key) == "valid"
    key.expire_time.FromDatetime(datetime(2020, 1, 2, tzinfo=UTC))
    assert _validity(key) == "expired 2020-01-02 00:00 UTC"
    key.expire_time.FromDatetime(datetime(2990, 1, 2, tzinfo=UTC))
    assert _validity(key).startswith("valid until 2990")
