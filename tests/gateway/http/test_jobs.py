"""A job over HTTP, from the upload to the download, and what is refused."""

import json
import uuid
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.gateway.conftest import FakeServices, Gateway
from tests.servers import free_port

pytestmark = pytest.mark.process


def video(duration_s: float = 10.0) -> bytes:
    return json.dumps({"duration_s": duration_s, "number": uuid.uuid4().hex}).encode()


async def put(http: httpx2.AsyncClient, data: bytes) -> dict[str, Any]:
    response = await http.put(
        f"/v1/uploads/{uuid.uuid4().hex}", content=data, headers={"Content-Type": "video/mp4"}
    )
    assert response.status_code == 200, response.text
    return dict(response.json()["video"])


async def events(
    http: httpx2.AsyncClient, job_id: str, last: str = ""
) -> list[tuple[str, str, dict[str, Any]]]:
    """Type, id and content of each event of the job until its end."""
    found = []
    headers = {"Last-Event-ID": last} if last else {}
    async with http.stream("GET", f"/v1/jobs/{job_id}:watch", headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        event: dict[str, str] = {}
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if line:
                event[name] = value
            elif event:
                found.append((event["event"], event.get("id", ""), json.loads(event["data"])))
                event = {}
    return found


async def test_a_job_from_upload_to_download(http: httpx2.AsyncClient) -> None:
    stored = await put(http, data := video())
    request = {"video": stored, "settings": {"variants": 2, "minEmotionDuration": "4s"}, "requestId": "r" * 8}
    response = await http.post("/v1/jobs", json=request)
    assert response.status_code == 200, response.text
    job = response.json()["job"]
    assert (job["settings"]["variants"], job["settings"]["minEmotionDuration"]) == (2, "4s")
    assert (await http.post("/v1/jobs", json=request)).json()["job"]["jobId"] == job["jobId"]

    seen = await events(http, job["jobId"])
    assert [kind for kind, _, _ in seen[-2:]] == ["job", "end"]
    last = seen[-2]
    assert last[2]["state"] == "STATE_SUCCEEDED"
    assert len(last[2]["result"]["variants"]) == 2
    assert last[1] == last[2]["sequence"]
    again = await events(http, job["jobId"], last=last[1])
    assert again == [("heartbeat", last[1], last[2]), ("end", "", {})]
    missed = await events(http, job["jobId"], last=str(int(last[1]) - 1))
    assert [kind for kind, _, _ in missed] == ["job", "end"]

    page = (await http.get("/v1/jobs", params={"pageSize": 1, "states": "STATE_SUCCEEDED"})).json()
    assert page["jobs"][0]["jobId"] == job["jobId"]
    assert "result" not in page["jobs"][0]
    name = stored["uri"].rpartition("/")[2]
    download = await http.get(f"/v1/artifacts/{name}", params={"filename": "fête; 1.mp4"})
    assert download.content == data
    assert download.headers["content-type"] == "video/mp4"
    assert download.headers["content-disposition"] == "attachment; filename*=UTF-8''f%C3%AAte%3B%201.mp4"


async def test_a_page_can_be_built_on_it(http: httpx2.AsyncClient) -> None:
    """What a player with variants, a timeline editor and a remix need is there over HTTP."""
    notes = {"labels": {"page": "yes"}, "userMetadata": {"Ticket": "7"}}
    request = {"video": await put(http, video()), "settings": {"variants": 2}, **notes}
    job = (await http.post("/v1/jobs", json=request)).json()["job"]
    parent = (await events(http, job["jobId"]))[-2][2]
    for variant in parent["result"]["variants"]:
        for part in ("preview", "waveform", "levels", "video"):
            name = variant[part]["uri"].rpartition("/")[2]
            assert (await http.get(f"/v1/artifacts/{name}")).status_code == 200
    assert {"probability", "span", "emotion"} <= parent["result"]["timeline"]["spans"][0].keys()

    remix = {
        "settings": {"mix": {"ambienceDb": -18}, "variantSettings": [{"number": 1, "randomSeed": "5"}]},
        "updateMask": "mix.ambienceDb,variantSettings,style",
        "spans": [{"span": {"start": "2s", "end": "4s"}, "emotion": "EMOTION_FEAR"}],
    }
    response = await http.post(f"/v1/jobs/{job['jobId']}:remix", json=remix)
    assert response.status_code == 200, response.text
    child = (await events(http, response.json()["job"]["jobId"]))[-2][2]
    assert (child["state"], child["parentJobId"]) == ("STATE_SUCCEEDED", job["jobId"])
    assert (child["labels"], child["userMetadata"]) == (notes["labels"], notes["userMetadata"])
    assert child["result"]["variants"][0]["randomSeed"] == "5"
    assert [preview["number"] for preview in sorted(child["previews"], key=lambda one: one["number"])] == [
        1,
        2,
    ]

    chosen = await http.post(f"/v1/jobs/{child['jobId']}:selectVariant", json={"number": 2})
    assert chosen.json()["job"]["selectedVariant"] == 2
    query = {"filter": f'labels.page = yes AND parent_job_id = "{job["jobId"]}"', "orderBy": "create_time"}
    listed = (await http.get("/v1/jobs", params=query)).json()["jobs"]
    assert [one["jobId"] for one in listed] == [child["jobId"]]
    assert (await http.get("/v1/queue")).json()["queuedJobs"] == 0
    assert (await http.get("/v1/capabilities")).json()["styles"][0]["name"] == "ambient"


async def test_a_job_is_cancelled(http: httpx2.AsyncClient) -> None:
    stored = await put(http, video())
    job_id = (await http.post("/v1/jobs", json={"video": stored})).json()["job"]["jobId"]
    cancelled = (await http.post(f"/v1/jobs/{job_id}:cancel")).json()["job"]
    assert cancelled["state"] in ("STATE_CANCELLED", "STATE_SUCCEEDED")


async def test_a_finished_job_is_deleted(http: httpx2.AsyncClient) -> None:
    stored = await put(http, video())
    job_id = (await http.post("/v1/jobs", json={"video": stored})).json()["job"]["jobId"]
    await events(http, job_id)
    assert (await http.delete(f"/v1/jobs/{job_id}")).status_code == 200
    assert (await http.get(f"/v1/jobs/{job_id}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "reason", "field"),
    [
        ("POST", "/v1/jobs", b"{", 400, "INVALID_FIELD", "body"),
        ("POST", "/v1/jobs", b"[1]", 400, "INVALID_FIELD", "body"),
        ("POST", "/v1/jobs", b"[" * 100_000, 400, "INVALID_FIELD", "body"),
        ("POST", "/v1/jobs", b'{"settings": {"loud": true}}', 400, "INVALID_FIELD", "body"),
        ("POST", "/v1/jobs", b'{"settings": {"variants": "many"}}', 400, "INVALID_FIELD", "body"),
        ("POST", "/v1/jobs", b'{"settings": {"variants": 9}}', 400, "INVALID_FIELD", "settings.variants"),
        ("POST", "/v1/jobs?validateOnly=true", b"{}", 400, "INVALID_FIELD", "validateOnly"),
        ("POST", "/v1/jobs", b" " * (5 << 20), 413, "TOO_LARGE", ""),
        ("GET", "/v1/jobs?pageSize=many", b"", 400, "INVALID_FIELD", "query"),
        ("GET", "/v1/jobs?pageSize=1&pageSize=2", b"", 400, "INVALID_FIELD", "pageSize"),
        ("GET", "/v1/jobs?page=1", b"", 400, "INVALID_FIELD", "page"),
        ("GET", "/v1/jobs?states=STATE_LOST", b"", 400, "INVALID_FIELD", "query"),
        ("GET", "/v1/jobs?filter=news", b"", 400, "INVALID_FIELD", "filter"),
        ("GET", "/v1/jobs?orderBy=name", b"", 400, "INVALID_FIELD", "order_by"),
        ("POST", "/v1/jobs/nobody:remix", b"{}", 404, "NOT_FOUND", ""),
        ("POST", "/v1/jobs/nobody:remix", b'{"updateMask": 3}', 400, "INVALID_FIELD", "body"),
        ("GET", "/v1/jobs/nobody", b"", 404, "NOT_FOUND", ""),
        ("GET", "/v1/jobs/nobody:watch", b"", 404, "NOT_FOUND", ""),
        ("GET", "/v1/artifacts/..%2f..%2fetc%2fpasswd", b"", 404, "NO_SUCH_PATH", ""),
        ("GET", "/v1/artifacts/passwd", b"", 400, "INVALID_FIELD", "uri"),
        ("GET", f"/v1/artifacts/{'0' * 64}.mp4", b"", 404, "NOT_FOUND", ""),
        ("GET", "/v2/jobs", b"", 404, "NO_SUCH_PATH", ""),
        ("DELETE", "/v1/jobs", b"", 405, "METHOD_NOT_ALLOWED", ""),
    ],
)
async def test_what_is_refused_is_a_problem_with_field_and_reason(
    http: httpx2.AsyncClient, method: str, path: str, content: bytes, status: int, reason: str, field: str
) -> None:
    response = await http.request(method, path, content=content)
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert (response.status_code, problem["status"], problem["reason"]) == (status, status, reason)
    assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else [])
    assert "Traceback" not in response.text


async def test_health_is_told_without_an_api(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/healthz")).status_code == 200
    assert (await http.get("/readyz")).text == "ok"


async def test_other_origins_are_not_allowed(http: httpx2.AsyncClient) -> None:
    response = await http.get("/v1/jobs", headers={"Origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in response.headers


async def test_a_key_is_asked_for_over_http_too(tmp_path: Path, shared_services: FakeServices) -> None:
    address = f"127.0.0.1:{free_port()}"
    gateway = Gateway(tmp_path, shared_services, http_address=address, key_file=str(tmp_path / "key")).start()
    try:
        async with httpx2.AsyncClient(base_url=f"http://{address}") as client:
            refused = await client.get("/v1/jobs")
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            key = (tmp_path / "key").read_text().strip()
            allowed = await client.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"})
            assert allowed.status_code == 200
            assert (await client.get("/readyz")).status_code == 200
            for _ in range(10):
                await client.get("/v1/jobs", headers={"Authorization": "Bearer guessed"})
            slowed = await client.get("/v1/jobs", headers={"Authorization": "Bearer guessed"})
            assert slowed.status_code == 429
    finally:
        assert gateway.stop() == 0
