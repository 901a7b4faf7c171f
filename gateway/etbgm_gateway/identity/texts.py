"""Texts that callers show: KIND_ID_SECRET. The database has only their SHA-256.

A secret has 256 random bits, so a slow hash, which protects passwords that people choose, adds nothing.
"""

import hashlib
import re
import secrets
import string

KEY, SESSION, SHARE = "etbgm", "etbgm-session", "etbgm-share"
"""Kinds of texts."""

_ID_CHARS = string.ascii_lowercase + string.digits
_TEXT = re.compile(r"([a-z-]+)_([a-z0-9]{12})_[A-Za-z0-9_-]{43}")


def new_text(kind: str) -> tuple[str, str]:
    """Returns a new text, which nobody knows yet, and its id."""
    text_id = "".join(secrets.choice(_ID_CHARS) for _ in range(12))
    return f"{kind}_{text_id}_{secrets.token_urlsafe(32)}", text_id


def id_of(kind: str, text: str) -> str | None:
    """Returns the id in a text of this kind; None if it has another form."""
    found = _TEXT.fullmatch(text)
    return found[2] if found and found[1] == kind else None


def digest(text: str) -> str:
    """Returns the SHA-256 of a text, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
