"""What an engine that computes with torch lacks, in words for the user."""


def missing(*, extra: str, packages: bool, model: str, weights: bool, device: bool) -> str:
    """What of packages, weights and a CUDA device is not there, joined by "and"; "" for nothing.

    `extra` is what pip installs the packages by, `model` the setting that names the weights: a
    catalogue's name, or a folder or id with a slash.
    """
    found = (
        (f"the packages of {extra}", packages),
        (_weights(model), weights),
        ("a CUDA device, with a torch that can use it", device),
    )
    needs = [need for need, there in found if not there]
    return " and ".join((", ".join(needs[:-1]), needs[-1]) if len(needs) > 1 else needs)


def _weights(model: str) -> str:
    if "/" in model:
        return f"the model {model}, which is not there"
    return f"weights (`etbgm models pull {model}`)"
