"""`etbgm jobs` beyond showing and fetching: what it asks of the gateway."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from etbgm.gateway.v1 import capabilities_pb2, queue_pb2
from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.riffusion.v1 import riffusion_pb2
from tests.client.cli.finishing import FinishingGateway, etbgm
from tests.client.served import served


class AskedGateway(FinishingGateway):
    """Keeps the last requests of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.created = pb.CreateJobRequest()
        self.remixed = pb.RemixJobRequest()
        self.listed = pb.ListJobsRequest()
        self.selected = pb.SelectVariantRequest()

    async def CreateJob(self, request: pb.CreateJobRequest, context: object) -> pb.CreateJobResponse:
        self.created = request
        return await super().CreateJob(request, context)

    async def RemixJob(self, request: pb.RemixJobRequest, context: object) -> pb.RemixJobResponse:
        self.remixed = request
        job = pb.Job(job_id="remix", state=pb.STATE_SUCCEEDED)
        self.jobs[job.job_id] = job
        return pb.RemixJobResponse(job=job)

    async def ListJobs(self, request: pb.ListJobsRequest, context: object) -> pb.ListJobsResponse:
        self.listed = request
        return pb.ListJobsResponse(jobs=[pb.Job(job_id="one", labels={"channel": "[news]"})])

    async def SelectVariant(
        self, request: pb.SelectVariantRequest, context: object
    ) -> pb.SelectVariantResponse:
        self.selected = request
        return pb.SelectVariantResponse()

    async def GetQueueStats(
        self, request: queue_pb2.GetQueueStatsRequest, context: object
    ) -> queue_pb2.GetQueueStatsResponse:
        return queue_pb2.GetQueueStatsResponse(queued_jobs=3)

    async def GetCapabilities(
        self, request: capabilities_pb2.GetCapabilitiesRequest, context: object
    ) -> capabilities_pb2.GetCapabilitiesResponse:
        return capabilities_pb2.GetCapabilitiesResponse(containers=["mp4"])


@pytest.fixture
def gateway() -> AskedGateway:
    return AskedGateway()


@pytest.fixture
def address(gateway: AskedGateway) -> Iterator[str]:
    with served(gateway) as address:
        yield address


def test_a_run_has_labels_and_a_priority(gateway: AskedGateway, address: str, video: Path) -> None:
    options = ("--label", "channel=news", "--label", "note=a=b", "--priority", "7")
    result = etbgm("run", video, "--detach", *options, "--gateway", address)
    assert result.exit_code == 0, result.output
    assert dict(gateway.created.labels) == {"channel": "news", "note": "a=b"}
    assert gateway.created.priority == 7
    result = etbgm("run", video, "--detach", "--label", "news", "--gateway", address)
    assert (result.exit_code, "label: must be KEY=VALUE" in result.stderr) == (2, True)


def test_jobs_are_listed_by_filter_and_order(gateway: AskedGateway, address: str) -> None:
    options = ("--filter", "state = FAILED", "--order-by", "priority desc", "--gateway", address)
    result = etbgm("jobs", "list", *options)
    assert result.stdout.startswith("one  ")
    assert result.stdout.rstrip().endswith("channel=[news]")
    assert (gateway.listed.filter, gateway.listed.order_by) == ("state = FAILED", "priority desc")


def test_a_remix_asks_only_for_what_is_other(gateway: AskedGateway, address: str, tmp_path: Path) -> None:
    options = ["--loudness", "-16", "--music", "low", "--variant", "2", "--style", "epic"]
    result = etbgm("jobs", "remix", "job-1", *options, "--gateway", address)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("remix\n")
    settings = pb.JobSettings(mix={"target_loudness_lufs": -16, "speech_to_music_lu": 18})
    settings.variant_settings.add(number=2, style="epic")
    assert (gateway.remixed.job_id, gateway.remixed.settings) == ("job-1", settings)
    etbgm("jobs", "remix", "job-1", "--seed", "7", "--variants", "1", "--detach", "--gateway", address)
    assert gateway.remixed.settings == pb.JobSettings(random_seed=7, variants=1)
    etbgm("jobs", "remix", "job-1", "--music-level", "12-20.5=-6", "--detach", "--gateway", address)
    level = gateway.remixed.settings.mix.music_levels[0]
    assert (level.span.start.seconds, level.span.end.nanos, level.gain_db) == (12, 500_000_000, -6)
    cuts = tmp_path / "cuts.json"
    cuts.write_text('{"cuts": [{"time": "12.5s"}]}')
    options = ["--hits", "strong", "--cuts", str(cuts)]
    assert etbgm("jobs", "remix", "job-1", *options, "--detach", "--gateway", address).exit_code == 0
    settings = gateway.remixed.settings
    assert (settings.hits, settings.cuts.cuts[0].time.ToMilliseconds()) == (riffusion_pb2.HITS_STRONG, 12500)
    result = etbgm("jobs", "remix", "job-1", "--variant", "2", "--gateway", address)
    assert (result.exit_code, "variant: needs --style or --seed" in result.stderr) == (2, True)


def test_a_choice_and_figures(gateway: AskedGateway, address: str) -> None:
    assert etbgm("jobs", "choose", "job-1", "2", "--gateway", address).exit_code == 0
    assert (gateway.selected.job_id, gateway.selected.number) == ("job-1", 2)
    assert json.loads(etbgm("jobs", "queue", "--gateway", address).stdout) == {"queuedJobs": 3}
    told = json.loads(etbgm("jobs", "capabilities", "--gateway", address).stdout)
    assert told == {"containers": ["mp4"]}
