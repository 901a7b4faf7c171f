"""Adds music to one video: python examples/add_music.py VIDEO FOLDER [GATEWAY]."""

import sys
from pathlib import Path

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import Client


def main(video: Path, folder: Path, gateway: str = "127.0.0.1:8430") -> None:
    """Uploads `video`, shows the stages of the job, and downloads all results into `folder`."""
    with Client(gateway) as client:
        settings = pb.JobSettings(variants=2, style="calm piano")
        job = client.create_job(client.upload(video), settings)
        for update in client.watch(job.job_id):
            stage = pb.Stage.Name(update.stages[-1].stage) if update.stages else "QUEUED"
            print(stage.removeprefix("STAGE_"))  # noqa: T201
        job = client.wait(job.job_id)  # raises ApiError if the job failed
        client.fetch(job.result, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
