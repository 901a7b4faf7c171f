"""Lists the files of a repository on the Hugging Face hub."""

from fnmatch import fnmatch
from pathlib import PurePosixPath

import httpx2
from huggingface_hub import HfApi, get_token, hf_hub_url
from huggingface_hub.hf_api import RepoSibling

from etbgm_cli.weights.errors import WeightsError
from etbgm_cli.weights.fetch import RemoteFile, refusals_told, unreachable
from etbgm_kit.models.catalogue import Hub

TIMEOUT_S = 10.0
"""Time for the hub to accept a connection, and to answer."""


def files_of(source: Hub, known: dict[str, str]) -> tuple[list[RemoteFile], dict[str, str]]:
    """The files of `source` and the request headers; hashes in `known` take precedence over the hub's.

    Raises WeightsError if the hub is unreachable, refuses the request or lacks a file.
    """
    api = HfApi(token=get_token())
    headers = {"Authorization": f"Bearer {api.token}"} if api.token else {}
    try:
        with refusals_told(source.hub):
            info = api.model_info(
                source.hub, revision=source.revision, files_metadata=True, timeout=TIMEOUT_S
            )
    except httpx2.TransportError as error:
        raise unreachable(api.endpoint, error) from error
    wanted = [file for file in info.siblings or [] if any(fnmatch(file.rfilename, p) for p in source.files)]
    for pattern in source.files:
        if not any(fnmatch(file.rfilename, pattern) for file in wanted):
            raise WeightsError(f"{source} contains no file {pattern}")
    return [_file_of(source, file, known) for file in wanted], headers


def _file_of(source: Hub, file: RepoSibling, known: dict[str, str]) -> RemoteFile:
    name = PurePosixPath(file.rfilename)
    if name.is_absolute() or ".." in name.parts or file.size is None:
        raise WeightsError(f"{source} lists a file that cannot be downloaded: {name}")
    sha256 = known.get(file.rfilename) or (file.lfs.sha256 if file.lfs else None)
    return RemoteFile(
        str(name), hf_hub_url(source.hub, file.rfilename, revision=source.revision), file.size, sha256
    )
