"""Tells the user what an engine based on torch is missing."""


def missing(*, extra: str, packages: bool, model: str, weights: bool, device: bool) -> str:
    """Lists the missing ones of packages, weights and CUDA device, joined by "and"; "" if none is missing.

    `extra` is the requirement that installs the packages; `model` is the setting that names the weights:
    a name in the catalogue, or a folder or hub id with a slash.
    """
    found = (
        (f"packages (`pip install '{extra}'`)", packages),
        (_weights(model), weights),
        ("a CUDA device with a matching torch build", device),
    )
    needs = [need for need, there in found if not there]
    return " and ".join((", ".join(needs[:-1]), needs[-1]) if len(needs) > 1 else needs)


def _weights(model: str) -> str:
    if "/" in model:
        return f"the model {model}, which was not found"
    return f"weights (`etbgm models pull {model}`)"
