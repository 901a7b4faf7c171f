"""A platform's backend: takes videos, has music added to them, and fetches each result when its job ends.

    ETBGM_WEBHOOK_SECRET=whsec_… python examples/platform_backend/backend.py RESULTS [PORT [GATEWAY]]

`etbgm webhooks rotate-secret` prints the secret. POST /videos takes a video and answers with the job's id;
GET /videos/ID tells which files there are. It never waits for a job: ET-BGM calls /etbgm at its end.
"""

import os
import sys
import tempfile
from pathlib import Path

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import AsyncClient


class Backend:
    """The handlers; results are kept in a folder for each job."""

    def __init__(self, results: Path, own_url: str, gateway: str, secret: str) -> None:
        self._results, self._gateway = results, gateway
        self._webhook_url, self._secret = f"{own_url}/etbgm", Webhook(secret)

    async def take(self, request: web.Request) -> web.Response:
        """POST /videos: hands the video on, and answers before any work is done."""
        with tempfile.NamedTemporaryFile(suffix=".mp4") as video:
            async for block in request.content.iter_chunked(1 << 20):
                video.write(block)
            video.flush()
            async with AsyncClient(self._gateway) as client:
                uploaded = await client.upload(Path(video.name))
                settings = pb.JobSettings(variants=1)
                job = await client.create_job(uploaded, settings, webhook_url=self._webhook_url)
        return web.json_response({"id": job.job_id}, status=202)

    async def hear(self, request: web.Request) -> web.Response:
        """POST /etbgm: checks the signature; answers 2xx only when the event has been dealt with."""
        try:
            event = self._secret.verify(await request.text(), dict(request.headers))
        except WebhookVerificationError:
            return web.Response(status=401)
        folder = self._results / event["data"]["jobId"]
        if event["type"] == "job.succeeded" and not folder.exists():  # an event may arrive twice
            arriving = folder.with_suffix(".part")
            arriving.mkdir(parents=True, exist_ok=True)
            async with AsyncClient(self._gateway) as client:
                await client.fetch((await client.get_job(folder.name)).result, arriving)
            arriving.rename(folder)
        return web.Response(status=204)

    async def tell(self, request: web.Request) -> web.Response:
        """GET /videos/ID: the names of the files of a finished job."""
        folder = self._results / Path(request.match_info["id"]).name
        if not folder.is_dir():
            raise web.HTTPNotFound
        return web.json_response(sorted(path.name for path in folder.iterdir()))


def main(results: Path, port: int = 8450, gateway: str = "127.0.0.1:8430") -> None:
    """Serves until interrupted."""
    secret = os.environ["ETBGM_WEBHOOK_SECRET"]
    backend = Backend(results, f"http://127.0.0.1:{port}", gateway, secret)
    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/videos", backend.take)
    app.router.add_get("/videos/{id}", backend.tell)
    app.router.add_post("/etbgm", backend.hear)
    web.run_app(app, host="127.0.0.1", port=port)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]), *sys.argv[3:4])
