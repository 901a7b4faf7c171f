"""The key file: a key with all scopes for whoever may read the file, made at the first start."""

import hmac
import os
from pathlib import Path

from etbgm_gateway.identity.texts import KEY, digest, new_text
from etbgm_gateway.identity.types import NOBODY, Caller
from etbgm_kit.serving.settings import BadSettings

_NAME = "key file"


class KeyFile:
    """The key in a file that only its user may read."""

    def __init__(self, path: Path) -> None:
        """Reads the file, or makes it. Raises BadSettings."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path)
            self._key = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeError) as error:
            raise BadSettings(f"ETBGM_KEY_FILE: {error}") from None
        if len(self._key) < 32:
            raise BadSettings("ETBGM_KEY_FILE: the file must contain a key of at least 32 characters")

    def caller(self, text: str) -> Caller | None:
        """Returns the caller if `text` is the key."""
        is_key = hmac.compare_digest(text.encode(), self._key.encode())
        return Caller(NOBODY.tenant, NOBODY.scopes, _NAME) if is_key else None

    def holds(self, name: str, sha256: str) -> bool:
        """Whether this is the SHA-256 of the key."""
        return name == _NAME and hmac.compare_digest(digest(self._key), sha256)


def _make(path: Path) -> None:
    """Writes a new key unless the file exists; it appears only when it is complete."""
    if path.exists():
        return
    arriving = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{new_text(KEY)[0]}\n")
    try:
        os.link(arriving, path)
    except FileExistsError:
        pass  # another gateway was faster
    finally:
        arriving.unlink()
