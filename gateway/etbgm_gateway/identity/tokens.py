"""Tokens (JWT) of an identity provider that speaks OpenID Connect."""

import ipaddress
import json
import re
import threading
import urllib.request
from urllib.parse import urlsplit

import jwt

from etbgm_gateway.identity.errors import IssuerUnreachable
from etbgm_gateway.identity.types import SCOPES, TENANT, Caller

ALGORITHMS = ("RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Only signatures with a public key: a token signed with it as a shared secret is not accepted."""

_NAME = "token of "
_TIMEOUT_S = 5.0
_KEYS_LIFE_S = 300.0
_MOST_BYTES = 1 << 20


class Tokens:
    """Accepts tokens of one issuer for one audience."""

    def __init__(self, issuer: str, audience: str, tenant_claim: str) -> None:
        """`tenant_claim` is the claim that names the tenant; the claim `scope` lists the scopes."""
        self._issuer, self._audience, self._tenant_claim = issuer, audience, tenant_claim
        self._keys: jwt.PyJWKClient | None = None
        self._lock = threading.Lock()

    def caller(self, text: str) -> Caller | None:
        """Returns the caller that the token names; None if it is not valid.

        Raises IssuerUnreachable if the issuer's keys cannot be fetched.
        """
        if text.count(".") != 2:
            return None
        try:
            key = self._client().get_signing_key_from_jwt(text)
            claims = jwt.decode(
                text,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise IssuerUnreachable from error
        except jwt.PyJWTError:
            return None
        tenant = claims.get(self._tenant_claim)
        if not isinstance(tenant, str) or not re.fullmatch(TENANT, tenant):
            return None
        scopes = frozenset(str(claims.get("scope", "")).split()) & frozenset(SCOPES)
        return Caller(tenant, scopes, f"{_NAME}{claims['sub']}", expire_time_s=float(claims["exp"]))

    def holds(self, name: str, sha256: str) -> bool:
        """Whether the caller had a token: its sessions end when it expires."""
        return name.startswith(_NAME)

    def _client(self) -> jwt.PyJWKClient:
        with self._lock:
            if self._keys is None:
                uri = _jwks_uri(self._issuer)
                self._keys = jwt.PyJWKClient(uri, lifespan=_KEYS_LIFE_S, timeout=_TIMEOUT_S)
            return self._keys


def is_trusted(url: str) -> bool:
    """Whether keys from this URL can be trusted: https, or http on this machine."""
    parts = urlsplit(url)
    try:
        is_here = ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        is_here = parts.hostname == "localhost"
    return parts.scheme == "https" or (parts.scheme == "http" and is_here)


def _jwks_uri(issuer: str) -> str:
    """Reads the issuer's configuration (OpenID Connect Discovery 1.0, section 4)."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            uri = json.loads(answer.read(_MOST_BYTES))["jwks_uri"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IssuerUnreachable from error
    if not isinstance(uri, str) or not is_trusted(uri):
        raise IssuerUnreachable
    return uri
