"""ET-BGM's API from Python: `Client`, and `AsyncClient` for asyncio.

    with Client("127.0.0.1:8430") as client:
        job = client.create_job(client.upload(Path("holiday.mp4")))
        job = client.wait(job.job_id)
        client.fetch(job.result, Path("holiday"))

Every method raises ApiError when the gateway refuses a call or cannot be reached.
"""

from etbgm_client.aio import AsyncClient
from etbgm_client.credentials import Tls
from etbgm_client.errors import ApiError
from etbgm_client.sync import Client

__all__ = ["ApiError", "AsyncClient", "Client", "Tls"]
