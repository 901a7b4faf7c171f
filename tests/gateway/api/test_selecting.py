"""A user's choice of a variant stays with the job, and errors say whether a retry may help."""

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.conftest import Api, FakeServices, refused

pytestmark = pytest.mark.process


async def test_a_choice_is_noted_and_withdrawn(api: Api) -> None:
    job = await api.run(await api.video(), variants=2)
    assert not job.HasField("selected_variant")
    chosen = (await api.stub.SelectVariant(pb.SelectVariantRequest(job_id=job.job_id, number=2))).job
    assert chosen.selected_variant == 2
    assert chosen.sequence == job.sequence + 1
    again = (await api.stub.SelectVariant(pb.SelectVariantRequest(job_id=job.job_id, number=2))).job
    assert again == chosen
    none = (await api.stub.SelectVariant(pb.SelectVariantRequest(job_id=job.job_id))).job
    assert not none.HasField("selected_variant")
    assert none.sequence == chosen.sequence + 1


async def test_only_variants_that_are_there_can_be_chosen(api: Api, services: FakeServices) -> None:
    job = await api.run(await api.video(), variants=2)
    for number in (-1, 3):
        request = pb.SelectVariantRequest(job_id=job.job_id, number=number)
        error = await refused(api.stub.SelectVariant(request), grpc.StatusCode.INVALID_ARGUMENT)
        assert list(error.fields) == ["number"]
        assert not error.retryable
    with services.hold("Extract"):
        waiting = await api.create(await api.video())
        request = pb.SelectVariantRequest(job_id=waiting.job_id, number=1)
        await refused(api.stub.SelectVariant(request), grpc.StatusCode.FAILED_PRECONDITION)
    unknown = pb.SelectVariantRequest(job_id="nobody", number=1)
    error = await refused(api.stub.SelectVariant(unknown), grpc.StatusCode.NOT_FOUND)
    assert error.metadata["retryable"] == "false"
