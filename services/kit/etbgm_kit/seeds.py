"""Random seeds of a job's variants."""

DEFAULT_VARIANTS = 4

SEED_LIMIT = 1 << 53
"""Random seeds are below this: whole numbers that JSON and doubles carry exactly."""


def random_seeds(variants: int, base: int | None, sha256: str) -> list[int]:
    """One for each variant, in [0, SEED_LIMIT): `base`, base + 1, …, wrapping round.

    Without a base it is taken from the video's hash, so the same video gives the same music.
    """
    first = int(sha256, 16) if base is None else base
    return [(first + i) % SEED_LIMIT for i in range(variants)]
