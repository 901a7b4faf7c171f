"""Attacks over HTTP, byte for byte: clients of HTTP would mend many of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tests.gateway.attacks.world import World

Bytes = Callable[[World], bytes]
Headers = Mapping[str, str | None]


@dataclass(frozen=True)
class WebAttack:
    """A request and the statuses of which one must answer it."""

    name: str
    sent: Bytes
    statuses: tuple[int, ...]


def attack(
    name: str, line: str, *statuses: int, body: bytes | str = b"", headers: Headers = MappingProxyType({})
) -> WebAttack:
    """A request of bob with this request line, body and headers; a header that is None is left out.

    <job>, <theirs> and <mine> in the line stand for alice's job, for her result and for bob's video.
    """

    def sent(world: World) -> bytes:
        data = body.encode() if isinstance(body, str) else body
        fields: dict[str, str | None] = {
            "host": "gateway",
            "connection": "close",
            "content-length": str(len(data)),
            "authorization": f"Bearer {world.bob}",
        }
        fields.update({name.lower(): value for name, value in headers.items()})
        text = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        first = line.replace("<job>", world.job.job_id)
        for mark, artifact in (("<theirs>", world.theirs), ("<mine>", world.video)):
            first = first.replace(mark, artifact.uri.rpartition("/")[2])
        return f"{first} HTTP/1.1\r\n{text}\r\n".encode("latin-1") + data

    return WebAttack(name, sent, statuses)


def raw(name: str, data: bytes, *statuses: int) -> WebAttack:
    """These bytes."""
    return WebAttack(name, lambda _: data, statuses)


TUS = {"tus-resumable": "1.0.0"}
OFFSET = {**TUS, "content-type": "application/offset+octet-stream"}
JSON = {"content-type": "application/json"}
NO_KEY = {"authorization": None}

PATHS = (
    attack("a path out of the root", "GET /../../../../etc/passwd", 404),
    attack("a path out of the artifacts", "GET /v1/artifacts/../../../etc/passwd", 404),
    attack("the same in percent signs", "GET /v1/artifacts/..%2f..%2f..%2fetc%2fpasswd", 400, 404),
    attack("the same twice in percent signs", "GET /v1/artifacts/%252e%252e%252fetc%252fpasswd", 400),
    attack("the same with backslashes", "GET /v1/artifacts/..\\..\\etc\\passwd", 400),
    attack("NUL in a path", "GET /v1/artifacts/a%00b", 400),
    attack("bytes that are not UTF-8 in a path", "GET /v1/jobs/%ff%fe%fd", 400, 404),
    attack("a line break in a path", "GET /v1/jobs/a%0d%0aset-cookie:%20a=b", 404),
    attack("two slashes", "GET //v1/jobs", 404),
    attack("a slash at the end", "GET /v1/jobs/", 404),
    attack("capital letters in a path", "GET /V1/JOBS", 404),
    attack("a path of 60 KB", f"GET /v1/jobs/{'a' * 60_000}", 400, 404, 414, 431),
    attack("an unknown verb of a job", "POST /v1/jobs/<job>:erase", 404, 405, body="{}", headers=JSON),
    attack("a job's verb by GET", "GET /v1/jobs/<job>:cancel", 404, 405),
    attack("another method", "TRACE /v1/jobs", 405),
    attack("a method that does not exist", "HACK /v1/jobs", 400, 405),
    attack("a tunnel", "CONNECT 169.254.169.254:80", 400, 404, 405),
    attack("the URL of another server", "GET http://169.254.169.254/latest/meta-data", 404),
    attack("a method in a header", "GET /v1/jobs/<job>", 404, headers={"x-http-method-override": "DELETE"}),
    attack("another path in a header", "GET /v1/nothing", 404, headers={"x-original-url": "/v1/jobs"}),
    attack("metrics", "GET /metrics", 404),
    attack("documentation that is not there", "GET /docs", 404),
)
QUERIES = (
    attack("an unknown field", "GET /v1/jobs?admin=true", 400),
    attack("a page size that is no number", "GET /v1/jobs?page_size=many", 400),
    attack("a page size given twice", "GET /v1/jobs?page_size=1&page_size=2", 400),
    attack("a page size of 30 digits", f"GET /v1/jobs?page_size={'9' * 30}", 400),
    attack("a page size that is infinite", "GET /v1/jobs?page_size=Infinity", 400),
    attack("an unknown state", "GET /v1/jobs?states=STATE_ROOT", 400),
    attack("a field of a field", "GET /v1/jobs?page_token.__class__=a", 400),
    attack("2,000 fields", "GET /v1/jobs?" + "&".join(f"a{i}=1" for i in range(2000)), 400),
    attack("SQL in a query", "GET /v1/jobs?page_token=%27%20OR%201%3D1%20--", 400),
)
BODIES = (
    attack("no JSON", "POST /v1/jobs", 400, body="video=1", headers=JSON),
    attack("a list", "POST /v1/jobs", 400, body="[]", headers=JSON),
    attack("an unknown member", "POST /v1/jobs", 400, body='{"isAdmin": true}', headers=JSON),
    attack("a member of another type", "POST /v1/jobs", 400, body='{"video": "a"}', headers=JSON),
    attack("a prototype", "POST /v1/jobs", 400, body='{"__proto__": {"a": 1}}', headers=JSON),
    attack("NaN", "POST /v1/jobs", 400, body='{"settings": {"mix": {"musicLiftDb": NaN}}}', headers=JSON),
    attack("a number of 5,000 digits", "POST /v1/jobs", 400, body=f'{{"settings": {{"variants": {"9" * 5000}}}}}', headers=JSON),
    attack("100,000 lists within each other", "POST /v1/jobs", 400, body="[" * 100_000, headers=JSON),
    attack("100,000 objects within each other", "POST /v1/jobs", 400, body='{"settings":' * 100_000, headers=JSON),
    attack("200 messages within each other", "POST /v1/jobs", 400, body='{"settings":' * 200 + "1" + "}" * 200, headers=JSON),
    attack("a million spans", "POST /v1/jobs", 400, body='{"settings": {"timeline": {"spans": [' + ",".join(["{}"] * 1_000_000) + "]}}}", headers=JSON),
    attack("5 MB", "POST /v1/jobs", 413, body=b" " * (5 << 20), headers=JSON),
    attack("bytes that are not UTF-8", "POST /v1/jobs", 400, body=b'{"video": "\xff\xfe"}', headers=JSON),
    attack("half of a pair of surrogates", "POST /v1/jobs", 400, body='{"settings": {"style": "\\ud800"}}', headers=JSON),
    attack("a compressed body", "POST /v1/jobs", 400, 415, body=b"\x1f\x8b" + bytes(20), headers={**JSON, "content-encoding": "gzip"}),
    attack("an XML document", "POST /v1/jobs", 400, 415, body="<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", headers={"content-type": "application/xml"}),
    attack("a form of another page", "POST /v1/jobs/<job>:cancel", 400, 415, body="a=1", headers={"content-type": "text/plain"}),
    attack("a body with DELETE", "DELETE /v1/jobs/<job>", 400, 404, body='{"force": true}', headers=JSON),
)  # fmt: skip
UPLOADS = (
    attack("an upload of no length", "POST /v1/uploads", 400, headers=TUS),
    attack("an upload of a negative length", "POST /v1/uploads", 400, headers={**TUS, "upload-length": "-1"}),
    attack("an upload of 10³⁰ bytes", "POST /v1/uploads", 400, headers={**TUS, "upload-length": "1" + "0" * 30}),
    attack("an upload in Thai digits", "POST /v1/uploads", 400, headers={**TUS, "upload-length": "\xb9\xb2"}),
    attack("an upload beyond the limit", "POST /v1/uploads", 400, 413, headers={**TUS, "upload-length": "9" * 12}),
    attack("metadata that is not base64", "POST /v1/uploads", 400, headers={**TUS, "upload-length": "1", "upload-metadata": "filetype a!"}),
    attack("metadata of a web page", "POST /v1/uploads", 400, headers={**TUS, "upload-length": "1", "upload-metadata": "filetype dGV4dC9odG1s"}),
    attack("a version of tus from the future", "POST /v1/uploads", 412, headers={"tus-resumable": "9.0.0", "upload-length": "1"}),
    attack("bytes from an offset that does not fit", "PATCH /v1/uploads/half-an-upload", 409, body=b"a", headers={**OFFSET, "upload-offset": "3"}),
    attack("bytes without an offset", "PATCH /v1/uploads/half-an-upload", 400, body=b"a", headers=OFFSET),
    attack("bytes of another type", "PATCH /v1/uploads/half-an-upload", 400, 415, body=b"a", headers={**TUS, "upload-offset": "10"}),
    attack("the upload of another tenant", "PATCH /v1/uploads/the-upload-of-alice", 404, body=b"a", headers={**OFFSET, "upload-offset": "10"}),
    attack("the state of another tenant's upload", "HEAD /v1/uploads/the-upload-of-alice", 404),
    attack("an upload's id that is a path", "PUT /v1/uploads/..%2f..%2fetc", 400, 404, body=b"a"),
)  # fmt: skip
IDENTITY = (
    attack("no key", "GET /v1/jobs", 401, headers=NO_KEY),
    attack("a key in the query", "GET /v1/jobs?key=etbgm", 400, 401, headers=NO_KEY),
    attack("a key in a cookie", "GET /v1/jobs", 401, headers={**NO_KEY, "cookie": "authorization=Bearer x"}),
    attack("an address of the operator", "GET /v1/jobs", 401, headers={**NO_KEY, "x-forwarded-for": "127.0.0.1", "etbgm-client-address": "127.0.0.1"}),
    attack("the job of another tenant", "GET /v1/jobs/<job>", 404),
    attack("events of another tenant's job", "GET /v1/jobs/<job>:watch", 404),
    attack("the job of another tenant, cancelled", "POST /v1/jobs/<job>:cancel", 404, body="{}", headers=JSON),
    attack("the job of another tenant, deleted", "DELETE /v1/jobs/<job>", 404),
    attack("the result of another tenant", "GET /v1/artifacts/<theirs>", 404),
    attack("the size of another tenant's result", "HEAD /v1/artifacts/<theirs>", 404),
    attack("a preflight of a foreign page", "OPTIONS /v1/jobs", 400, headers={**NO_KEY, "origin": "https://evil.example", "access-control-request-method": "POST"}),
)  # fmt: skip
DOWNLOADS = (
    attack("a part beyond the end", "GET /v1/artifacts/<mine>", 416, headers={"range": "bytes=999999-"}),
    attack("a part with a number of 5,000 digits", "GET /v1/artifacts/<mine>", 400, 416, headers={"range": f"bytes={'9' * 5000}-"}),
    attack("a name of no artifact", "GET /v1/artifacts/passwd", 400),
    attack("a hash that is not stored", f"GET /v1/artifacts/{'0' * 64}.mp4", 404),
)  # fmt: skip
FORMS = (
    raw("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n", 400),
    raw("headers of 200 KB", b"GET /v1/jobs HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 200_000 + b"\r\n\r\n", 400, 431),
    raw("20,000 headers", b"GET /v1/jobs HTTP/1.1\r\nhost: a\r\n" + b"x: a\r\n" * 20_000 + b"\r\n", 400, 401, 431),
    raw("two lengths", b"POST /v1/jobs HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}", 400),
    raw("a length and chunks", b"POST /v1/jobs HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400, 401),
    raw("a negative length", b"POST /v1/jobs HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", 400),
    raw("chunks that are none", b"POST /v1/jobs HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
    raw("a space before a colon", b"GET /v1/jobs HTTP/1.1\r\nhost : a\r\n\r\n", 400),
    raw("NUL in a header", b"GET /v1/jobs HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n", 400),
)  # fmt: skip
ATTACKS = (*PATHS, *QUERIES, *BODIES, *UPLOADS, *IDENTITY, *DOWNLOADS, *FORMS)
