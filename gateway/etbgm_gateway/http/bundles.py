"""A variant's project for video editors with the files that it refers to, as one ZIP file."""

import io
import zipfile
from collections.abc import AsyncIterator, Iterator

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm_gateway.http.calls import Api, rpc_of
from etbgm_gateway.http.downloads import attachment

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that ZIP can state: the same content makes the same file."""


class Bundles:
    """Serves /v1/jobs/{job_id}/project?variant=N."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get(self, request: Request) -> Response:
        """Streams the files, not compressed, because media hardly are. Raises HTTPException."""
        asked = gateway_pb2.GetJobRequest(job_id=request.path_params["job_id"])
        answer = await self._api.unary(rpc_of("GetJob"), asked, request)
        assert isinstance(answer, gateway_pb2.GetJobResponse)
        number = request.query_params.get("variant", "1")
        found = [one for one in answer.job.result.variants if str(one.number) == number]
        if not found or not found[0].project.uri:
            raise HTTPException(404, "the job has no such variant, or no projects were requested")
        files = list(_files(found[0], answer.job.result))
        name = request.query_params.get("filename") or f"variant-{number}.zip"
        headers = {"Content-Disposition": attachment(name), "X-Content-Type-Options": "nosniff"}
        return StreamingResponse(self._zipped(files, request), 200, headers, "application/zip")

    async def _zipped(
        self, files: list[tuple[str, media_pb2.Artifact]], request: Request
    ) -> AsyncIterator[bytes]:
        target = _Stream()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for name, artifact in files:
                with archive.open(zipfile.ZipInfo(name, _EPOCH), "w", force_zip64=True) as entry:
                    asked = gateway_pb2.DownloadArtifactRequest(uri=artifact.uri)
                    async for response in self._api.stream(rpc_of("DownloadArtifact"), asked, request):
                        entry.write(response.data)
                        yield target.taken()
        yield target.taken()


class _Stream(io.RawIOBase):
    """What ZipFile has written and nobody has taken yet; it cannot be sought, so nothing is written twice."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self._waiting += data
        return len(data)

    def taken(self) -> bytes:
        """Returns and forgets it."""
        data, self._waiting = bytes(self._waiting), bytearray()
        return data


def _files(
    variant: gateway_pb2.Variant, result: gateway_pb2.JobResult
) -> Iterator[tuple[str, media_pb2.Artifact]]:
    """Yields the project and the files that it refers to (see results/project.py)."""
    name = f"variant-{variant.number}"
    wanted = {f"{name}.otio", f"{name}.{result.container}", f"{name}.music.flac", "speech.flac"}
    return ((file.name, file.artifact) for file in result.files if file.name in wanted)
