"""Filters and orders that are refused, and labels that are not."""

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_gateway.api.listing import Listing, listing_of
from etbgm_gateway.store.queries import Every, Page
from etbgm_kit.errors import InvalidField
from tests.gateway.conftest import Api, refused

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"filter": "news"}, "filter: must compare a field, not only name news"),
        ({"filter": '"news"'}, "filter: must compare a field"),
        ({"filter": "size > 3"}, "filter: names size; known are state, job_id"),
        ({"filter": "state = LOST"}, "filter: compares state with LOST; it can be QUEUED"),
        ({"filter": "priority = high"}, "filter: compares priority with high, which is not a whole number"),
        ({"filter": "create_time > 2026"}, "filter: compares create_time with 2026, not with a time"),
        ({"filter": 'create_time > "2026-01-01"'}, "not with a time such as"),
        ({"filter": "state = QUEUED AND"}, "filter: is not a filter as in AIP-160: it goes wrong at"),
        (
            {"filter": "(state = QUEUED"},
            "is not a filter as in AIP-160: it goes wrong at character 10",
        ),
        ({"filter": "timestamp(state) = 3"}, "filter: "),
        ({"filter": "labels.Team = a"}, "filter: names Team, which cannot be the key of a label"),
        ({"filter": "job_id:x"}, 'filter: must ask whether job_id is set by "job_id:\\*"'),
        ({"filter": "(" * 400 + "state = QUEUED" + ")" * 400}, "filter: has more than 10 levels"),
        ({"filter": " ".join(["priority=1"] * 60)}, "filter: has more than 50 comparisons"),
        ({"filter": "state = QUEUED " * 100}, "filter: has 1,500 characters"),
        ({"order_by": "name"}, "order_by: must have names of create_time"),
        ({"order_by": "priority up"}, "order_by: must have names"),
        ({"order_by": "priority, priority desc"}, "order_by: names priority twice"),
        ({"page_size": -1}, "page_size: must not be negative"),
        ({"page_token": "bm9uc2Vuc2U"}, "page_token: is not one that this gateway has sent"),
    ],
)
def test_other_requests_are_refused_with_the_reason(request_: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidField, match=reason):
        listing_of(pb.ListJobsRequest(**request_))


def test_a_page_token_belongs_to_its_list_and_the_size_has_a_limit() -> None:
    first = listing_of(pb.ListJobsRequest(page_size=1000, order_by="state"))
    assert first.page.size == 100
    token = first.token_after((1.0, 2.0, 3.0, 0, "QUEUED"), "a" * 8)
    other = Listing(Page(Every(()), (), 20), "0" * 16).token_after((1.0, 2.0, 3.0, 0, "QUEUED"), "a" * 8)
    again = listing_of(pb.ListJobsRequest(page_token=token, order_by="state"))
    assert again.page.after == (["QUEUED"], "a" * 8)
    with pytest.raises(InvalidField, match="page_token: belongs to a list with another filter or order"):
        listing_of(pb.ListJobsRequest(page_token=other))


async def test_labels_and_metadata_are_returned_and_found(api: Api) -> None:
    video = await api.video()
    notes = {"labels": {"channel": "news"}, "user_metadata": {"Ticket": "Nr. 7"}}
    request = pb.CreateJobRequest(video=video, settings={"variants": 1}, request_id="r" * 12, **notes)
    job = (await api.stub.CreateJob(request)).job
    assert (dict(job.labels), dict(job.user_metadata)) == (notes["labels"], notes["user_metadata"])
    assert (await api.stub.CreateJob(request)).job.job_id == job.job_id
    listed = (
        await api.stub.ListJobs(pb.ListJobsRequest(filter=f"labels.channel=news job_id={job.job_id}"))
    ).jobs
    assert [dict(one.user_metadata) for one in listed] == [notes["user_metadata"]]
    remix = pb.RemixJobRequest(job_id=job.job_id, labels={"channel": "other"})
    remixed = (await api.stub.RemixJob(remix)).job
    assert (dict(remixed.labels), dict(remixed.user_metadata)) == (
        {"channel": "other"},
        notes["user_metadata"],
    )


@pytest.mark.parametrize(
    ("notes", "field"),
    [
        ({"labels": {"Channel": "news"}}, "labels"),
        ({"labels": {"channel": "n" * 64}}, "labels[channel]"),
        ({"labels": {f"k{i}": "" for i in range(65)}}, "labels"),
        ({"labels": {"a": "b\0"}}, "labels[a]"),
        ({"user_metadata": {"": "x"}}, "user_metadata"),
        ({"user_metadata": {"a": "x" * 1001}}, "user_metadata[a]"),
        ({"user_metadata": {"\n": "x"}}, "user_metadata"),
        ({"user_metadata": {f"k{i}": "" for i in range(101)}}, "user_metadata"),
    ],
)
async def test_bad_labels_and_metadata_are_refused(
    api: Api, notes: dict[str, dict[str, str]], field: str
) -> None:
    request = pb.CreateJobRequest(video=await api.video(), **notes)
    error = await refused(api.stub.CreateJob(request), grpc.StatusCode.INVALID_ARGUMENT)
    assert list(error.fields) == [field]
