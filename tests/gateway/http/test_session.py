"""The web page: its files, and the cookie that stands for the user's key."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from etbgm_gateway.http.page import assets
from etbgm_gateway.http.session import COOKIE
from etbgm_gateway.identity.sessions import KEEP_S
from tests.gateway.conftest import FakeServices, Gateway
from tests.servers import free_port

pytestmark = pytest.mark.process

LARGEST_PAGE_BYTES = 200_000
"""What all files of the page may have together when compressed."""


@pytest.fixture(scope="module")
def locked(
    tmp_path_factory: pytest.TempPathFactory, shared_services: FakeServices
) -> Iterator[tuple[str, str]]:
    """The URL of a gateway with authentication, and its key."""
    folder, address = tmp_path_factory.mktemp("locked"), f"127.0.0.1:{free_port()}"
    key_file = folder / "key"
    gateway = Gateway(folder, shared_services, http_address=address, key_file=str(key_file)).start()
    yield f"http://{address}", key_file.read_text().strip()
    assert gateway.stop() == 0


@pytest.fixture
def user(locked: tuple[str, str]) -> Iterator[httpx2.Client]:
    """A browser whose user has signed in."""
    url, key = locked
    with httpx2.Client(base_url=url, headers={"Sec-Fetch-Site": "same-origin"}) as client:
        answer = client.post("/session", json={"key": key})
        assert answer.status_code == 204
        cookie = answer.headers["set-cookie"].lower()
        age = re.search(r"max-age=(\d+)", cookie)
        assert cookie.startswith(COOKIE) and age and int(age[1]) == pytest.approx(KEEP_S, abs=5)
        assert key.lower() not in cookie, "the key itself is in no cookie"
        assert "httponly" in cookie and "samesite=strict" in cookie and "secure" not in cookie
        yield client


def test_a_session_stands_for_the_key(user: httpx2.Client) -> None:
    assert user.get("/v1/jobs").status_code == 200
    assert user.post("/v1/webhooks:test", json={}).status_code == 400
    assert user.delete("/session").status_code == 204
    assert user.get("/v1/jobs").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 401),
        ({"Sec-Fetch-Site": "same-site"}, 401),  # another port of the same host
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:1"}, 401),
        ({"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, 401),
        ({"Sec-Fetch-Site": "", "Origin": "null"}, 401),
        ({"Sec-Fetch-Site": "none"}, 401),  # the user opened an address: nothing that changes anything
    ],
)
def test_other_pages_cannot_use_the_session(
    user: httpx2.Client, headers: dict[str, str], status: int
) -> None:
    assert user.post("/v1/webhooks:test", json={}, headers=headers).status_code == status


def test_a_page_reached_without_tls_over_the_network_can_use_its_session(user: httpx2.Client) -> None:
    """Browsers then send Origin, but no Sec-Fetch-Site."""
    own = str(user.base_url).rstrip("/")
    del user.headers["Sec-Fetch-Site"]
    assert user.post("/v1/webhooks:test", json={}, headers={"Origin": own}).status_code == 400
    assert user.get("/v1/jobs").status_code == 200
    assert user.post("/v1/webhooks:test", json={}).status_code == 401


def test_a_link_counts_only_where_it_is_named(user: httpx2.Client) -> None:
    video = user.put(
        "/v1/uploads/shared-video-1", content=b'{"duration_s": 5}', headers={"Content-Type": "video/mp4"}
    ).json()["video"]
    job_id = user.post("/v1/jobs", json={"video": video, "settings": {"variants": 1}}).json()["job"]["jobId"]
    ended = time.monotonic() + 30
    while (job := user.get(f"/v1/jobs/{job_id}").json()["job"])["state"] != "STATE_SUCCEEDED":
        assert time.monotonic() < ended, job
        time.sleep(0.1)
    made = user.post(f"/v1/jobs/{job_id}/shares", json={"lifetime": "3600s"}).json()
    share_id, name = made["share"]["shareId"], video["uri"].rpartition("/")[2]
    assert [one["shareId"] for one in user.get(f"/v1/jobs/{job_id}/shares").json()["shares"]] == [share_id]
    with httpx2.Client(base_url=user.base_url, headers={"Sec-Fetch-Site": "same-origin"}) as visitor:
        answer = visitor.post("/session", json={"share": made["text"]})
        assert answer.status_code == 204 and "max-age" not in answer.headers["set-cookie"].lower()
        assert visitor.get(f"/v1/jobs/{job_id}").status_code == 401
        seen = visitor.get(f"/v1/jobs/{job_id}?shared={share_id}")
        assert seen.json()["job"]["result"]["variants"]
        part = visitor.get(f"/v1/artifacts/{name}?filename=a.mp4&shared={share_id}")
        assert part.status_code == 200 and "a.mp4" in part.headers["content-disposition"]
        assert visitor.get(f"/v1/jobs?shared={share_id}").status_code == 403
        assert visitor.post(f"/v1/jobs/{job_id}:cancel?shared={share_id}", json={}).status_code == 403
        headers = {"Sec-Fetch-Site": "cross-site"}
        assert visitor.get(f"/v1/jobs/{job_id}?shared={share_id}", headers=headers).status_code == 401
    assert user.get(f"/v1/jobs?shared={share_id}").status_code == 401, "the user's own session does not count"
    assert user.delete(f"/v1/jobs/{job_id}/shares/{share_id}").status_code == 200
    assert user.post("/session", json={"share": "etbgm-share_x"}).status_code == 400


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"key": 1}', b'{"key": "a b"}', b"x" * 99_999])
def test_a_malformed_key_is_refused(locked: tuple[str, str], body: bytes) -> None:
    answer = httpx2.post(f"{locked[0]}/session", content=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "key"


def test_a_wrong_key_opens_no_session(locked: tuple[str, str]) -> None:
    answer = httpx2.post(f"{locked[0]}/session", json={"key": "etbgm_wrong_key"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_the_page_is_served_without_a_key_under_a_strict_policy(locked: tuple[str, str]) -> None:
    answer = httpx2.get(f"{locked[0]}/")
    assert answer.status_code == 200 and "<!doctype html>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    again = httpx2.get(f"{locked[0]}/", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    script = httpx2.get(f"{locked[0]}/page/main.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert httpx2.get(f"{locked[0]}/page/none.js").status_code == 404
    assert httpx2.get(f"{locked[0]}/page/../app.py").status_code == 404


def test_the_page_is_small_and_uses_no_other_host() -> None:
    files = assets()
    assert sum(len(asset.compressed) for asset in files.values()) < LARGEST_PAGE_BYTES
    page = Path(__file__).parents[3] / "gateway/etbgm_gateway/page"
    for name, asset in files.items():
        text = asset.plain.decode()
        assert "innerHTML" not in text and "eval(" not in text, name
        hosts = set(re.findall(r"https?://([\w.]+)", text))
        assert hosts <= {"www.w3.org", "tus.io"}, name  # a name space of XML, a reference
        assert len(text.splitlines()) < 300 or name.startswith("text/"), name
    assert {str(path.relative_to(page)) for path in page.rglob("*") if path.is_file()} == set(files)
