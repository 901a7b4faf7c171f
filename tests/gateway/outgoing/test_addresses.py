"""Which URLs and addresses callers may name. Forms of the same private address are those of real attacks."""

import ipaddress

import pytest

from etbgm_gateway.outgoing.addresses import LONGEST_URL, AddressRules
from etbgm_kit.errors import InvalidField

PUBLIC = ("8.8.8.8", "93.184.215.14", "2606:4700::1111", "2001:4860:4860::8888")
PRIVATE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1"),
    *("198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a00:1", "fe80::1"),
    *("fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "2001:db8::1", "2002:7f00:1::"),
    *("64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "100::1", "2001:10::1"),
)
REFUSED = (
    *("http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/"),
    *("data:text/plain,x", "javascript:alert(1)", "unix:/run/etbgm.sock", "//example.com/", "example.com"),
    *("https://", "https:///path", "https:example.com", "", "https://user@example.com/"),
    *("https://user:secret@example.com/", "https://@example.com/", "https://example.com/#part"),
    *("https://example.com:99999/", "https://example.com:port/", "https://[::1", "https://exa mple.com/"),
    *("https://example.com/\n", "https://example.com\r\nhost: other/", "https://example.com\\@10.0.0.1/"),
    *("https://ex\u00e4mple.com/", "https://\u2460\u2461\u2466.0.0.1/", "https://example.com/\0"),
    *("https://127.0.0.1/", "https://127.0.0.1:8443/", "https://[::1]/", "https://[::ffff:127.0.0.1]/"),
    *("https://169.254.169.254/latest/meta-data", "https://[fd00:ec2::254]/", "https://10.0.0.1/"),
    *("https://[fe80::1%25eth0]/", "https://0.0.0.0/", "https://[::]/", "https://[64:ff9b::7f00:1]/"),
    "https://example.com/" + "x" * LONGEST_URL,
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert AddressRules().permits(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_other_addresses_are_not(address: str) -> None:
    assert not AddressRules().permits(address)


def test_the_operator_may_allow_a_network() -> None:
    rules = AddressRules((ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")))
    assert rules.permits("10.1.2.3")
    assert rules.permits("fd00::1")
    assert not rules.permits("10.2.0.1")
    rules.check("https://10.1.2.3/hook", "url")


@pytest.mark.parametrize("url", REFUSED)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(InvalidField) as caught:
        AddressRules().check(url, "url")
    assert caught.value.field == "url"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com:8443/a?b=c", "https://8.8.8.8/"])
def test_urls_that_are_accepted(url: str) -> None:
    AddressRules().check(url, "url")


def test_plain_http_is_the_operators_choice() -> None:
    AddressRules(plain_http=True).check("http://example.com/", "url")
