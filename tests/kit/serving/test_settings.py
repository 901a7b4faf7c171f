"""Settings: what cannot be used is named, and never shown."""

import pytest

from etbgm_kit.serving.settings import BadSettings, ModelSettings, read


def test_every_bad_variable_is_named_in_one_line_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETBGM_STORE_URL", raising=False)
    monkeypatch.setenv("ETBGM_SLOTS", "0")
    monkeypatch.setenv("ETBGM_DEVICE", "secret")
    monkeypatch.setenv("ETBGM_LOG_LEVEL", "loud")
    with pytest.raises(BadSettings) as raised:
        read(ModelSettings)
    assert sorted(str(raised.value).split("; ")) == [
        "ETBGM_DEVICE: Input should be 'auto', 'cpu' or 'cuda'",
        "ETBGM_LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
        "ETBGM_SLOTS: Input should be greater than or equal to 1",
        "ETBGM_STORE_URL: Field required",
    ]


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETBGM_STORE_URL", "file:///one")
    monkeypatch.setenv("ETBGM_SLOTS", "2")
    settings = read(ModelSettings, store_url="file:///other")
    assert (settings.store_url, settings.slots) == ("file:///other", 2)
