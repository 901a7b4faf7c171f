"""The rules on places, without a network."""

import pytest

from etbgm_gateway.outgoing.places import BucketObject, PlaceRules, checked_prefix, without_query
from etbgm_gateway.outgoing.sources import SentVideo
from etbgm_kit.errors import InvalidField

RULES = PlaceRules(("https://cdn.example.com/", "s3://videos/{tenant}/in/"))


@pytest.mark.parametrize("url", ["https://cdn.example.com/a.mp4?key=1", "s3://videos/alice/in/a/b.mp4"])
def test_what_begins_with_a_prefix_is_permitted(url: str) -> None:
    RULES.check(url, "source_url", "alice")


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example.com.evil.org/a.mp4",
        "https://cdn.example.com@evil.org/a.mp4",
        "http://cdn.example.com/a.mp4",
        "HTTPS://cdn.example.com/a.mp4",
        "s3://videos/bob/in/a.mp4",
        "s3://videos/alice/in/../../bob/in/a.mp4",
        "s3://videos/alice/in/%2e%2e/secret",
        "s3://videos/alice/in/%252e%252e/secret",
        "s3://videos/alice/in/..\\secret",
        "s3://videos/alice/in",
        "s3://other/alice/in/a.mp4",
        "file:///etc/passwd",
        "s3://videos/alice/in/a b.mp4",
        "s3://videos/alice/in/ä.mp4",
        f"https://cdn.example.com/{'a' * 1000}",
        "",
    ],
)
def test_nothing_else_is(url: str) -> None:
    with pytest.raises(InvalidField, match=r"^source_url: "):
        RULES.check(url, "source_url", "alice")


@pytest.mark.parametrize("tenant", ["..", "a/b", "", "*", "alice/../bob"])
def test_a_tenant_whose_name_is_no_folder_has_no_folder(tenant: str) -> None:
    with pytest.raises(InvalidField):
        RULES.check(f"s3://videos/{tenant}/in/a.mp4", "source_url", tenant)


@pytest.mark.parametrize("prefix", ["https://", "https://example.com/", "s3://bucket/", "az://c/d/{tenant}/"])
def test_prefixes_end_with_a_host_or_a_folder(prefix: str) -> None:
    assert checked_prefix(prefix) == prefix


@pytest.mark.parametrize("prefix", ["", "https", "https://example.com", "s3://", "s3://bucket", "file:///x/"])
def test_other_prefixes_are_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        checked_prefix(prefix)


@pytest.mark.parametrize("url", ["s3:///key", "s3://a@b/key", "s3://b//key", "s3://b/key?x=1", "ftp://b/key"])
def test_objects_of_buckets_have_plain_urls(url: str) -> None:
    with pytest.raises(InvalidField):
        BucketObject.of(url, "source_url")


def test_an_object_has_a_bucket_and_a_key() -> None:
    assert BucketObject.of("gs://b/folder/a.mp4", "source_url") == BucketObject("gs://b", "folder/a.mp4")


def test_signatures_are_not_shown() -> None:
    assert without_query("https://example.com/a.mp4?X-Amz-Signature=secret") == "https://example.com/a.mp4"


def test_what_a_tenant_sent_has_a_name_that_other_tenants_do_not_reach() -> None:
    source = f"upload:{'a' * 32};video/mp4"
    mine, other = SentVideo.of(source, "alice"), SentVideo.of(source, "bob")
    assert mine.name != other.name
    assert mine.media_type == "video/mp4"


@pytest.mark.parametrize("source", ["upload:", "upload:../x", f"upload:{'a' * 31}", f"upload:{'a' * 32};x"])
def test_other_names_of_sent_videos_are_refused(source: str) -> None:
    with pytest.raises(InvalidField, match="CreateUploadLink"):
        SentVideo.of(source, "alice")
