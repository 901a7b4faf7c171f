"""Adds music to several videos at the same time: python examples/add_music_to_many.py FOLDER VIDEO..."""

import asyncio
import os
import sys
from pathlib import Path

from etbgm.gateway.v1.gateway_pb2 import JobSettings
from etbgm_client import ApiError, AsyncClient

GATEWAY = os.environ.get("ETBGM_GATEWAY", "127.0.0.1:8430")


async def add_music(client: AsyncClient, video: Path, folder: Path) -> str:
    """Downloads the results of one video into a folder of its name; returns one line about the outcome."""
    try:
        job = await client.create_job(await client.upload(video), JobSettings(variants=1))
        job = await client.wait(job.job_id)
        await client.fetch(job.result, folder / video.stem)
    except ApiError as error:
        return f"{video.name}: failed ({error.code}): {error}"
    return f"{video.name}: finished, see {folder / video.stem}"


async def main(folder: Path, videos: list[Path]) -> None:
    """Sends all videos to the gateway, which queues them, and prints outcomes as they arrive."""
    async with AsyncClient(GATEWAY) as client:
        for outcome in asyncio.as_completed([add_music(client, video, folder) for video in videos]):
            print(await outcome)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
