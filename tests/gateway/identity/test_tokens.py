"""Tokens of an identity provider, which is an HTTP server of the test."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from etbgm_client import ApiError, AsyncClient
from etbgm_gateway.identity.tokens import is_trusted
from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.process

AUDIENCE = "etbgm"


class Issuer:
    """Signs tokens, and publishes its key."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                documents = {
                    "/.well-known/openid-configuration": {"jwks_uri": f"{issuer.url}/keys"},
                    "/keys": {"keys": [{**public, "kid": "one", "alg": "ES256", "use": "sig"}]},
                }
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(documents[self.path]).encode())

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, key: Any = None, algorithm: str = "ES256", **changes: object) -> str:
        claims = {
            **{"iss": self.url, "aud": AUDIENCE, "sub": "someone", "exp": time.time() + 60},
            **{"tenant": "alice", "scope": "openid jobs:read"},
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm=algorithm, headers={"kid": "one"})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()


@pytest.fixture
def gateway(tmp_path: Path, services: FakeServices, issuer: Issuer) -> Iterator[Gateway]:
    settings = {"jwt_issuer": issuer.url, "jwt_audience": AUDIENCE}
    gateway = Gateway(tmp_path / "gateway", services, **settings).start()
    yield gateway
    gateway.kill()


async def code_of(gateway: Gateway, token: str) -> str:
    async with AsyncClient(gateway.address, token) as client:
        try:
            await client.list_jobs()
        except ApiError as error:
            return error.code
    return "OK"


async def test_a_valid_token_is_accepted_and_has_its_scopes_only(gateway: Gateway, issuer: Issuer) -> None:
    token = issuer.token()
    assert await code_of(gateway, token) == "OK"
    async with AsyncClient(gateway.address, token) as client:
        with pytest.raises(ApiError) as caught:
            await client.keys.list()
    assert caught.value.code == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    "changes",
    [
        *({"exp": 1}, {"exp": None}, {"aud": "others"}, {"aud": None}, {"iss": "https://evil.example"}),
        *({"tenant": None}, {"tenant": "a b"}, {"tenant": ["alice"]}, {"sub": None}),
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"key": "x" * 32, "algorithm": "HS256"},
    ],
)
async def test_other_tokens_are_refused(gateway: Gateway, issuer: Issuer, changes: dict[str, Any]) -> None:
    assert await code_of(gateway, issuer.token(**changes)) == "UNAUTHENTICATED"
    unsigned = jwt.encode({"sub": "someone"}, None, algorithm="none", headers={"kid": "one"})
    assert await code_of(gateway, unsigned) == "UNAUTHENTICATED"


def test_keys_come_by_https_or_from_this_machine() -> None:
    assert is_trusted("https://login.example.com/keys")
    assert is_trusted("http://127.0.0.1:8080/keys")
    assert not is_trusted("http://login.example.com/keys")
    assert not is_trusted("file:///etc/keys")
