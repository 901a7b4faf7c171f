"""Random seeds of a job's variants."""

DEFAULT_VARIANTS = 4

SEED_LIMIT = 1 << 53
"""Random seeds are below this, so that JSON and doubles represent them exactly."""


def random_seeds(variants: int, base: int | None, sha256: str) -> list[int]:
    """One seed per variant, in [0, SEED_LIMIT): `base`, base + 1, …, wrapping around.

    If `base` is None, `sha256`, the hash of the input, replaces it, so the same input gives the same music.
    """
    first = int(sha256, 16) if base is None else base
    return [(first + i) % SEED_LIMIT for i in range(variants)]
