"""A tenant reads only what its own uploads and jobs hold."""

import sqlalchemy as sa

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.identity.types import current_caller, current_tenant
from etbgm_gateway.store.holdings import Holdings, holder_of_upload
from etbgm_gateway.store.jobs import DEFAULT_TENANT
from etbgm_kit.artifacts.memo import artifacts_in
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb
from etbgm_kit.errors import NotFound
from etbgm_kit.types import Artifact


class Ownership:
    """Checks and records what the tenant of the current call holds. Methods block."""

    def __init__(self, holdings: Holdings, store: ArtifactStore) -> None:
        self._holdings, self._store = holdings, store

    def check(self, key: str, **facts: str) -> None:
        """Raises NotFound, with `facts`, unless the tenant, or the shared job, holds the artifact."""
        tenant, shared = current_tenant(), current_caller.get().job_id
        if shared:
            may_read = self._holdings.is_held_by(shared, key)
        else:
            may_read = self._holdings.may_read(tenant, key, is_default=tenant == DEFAULT_TENANT)
        if not may_read:
            raise NotFound("no such artifact", **facts)

    def hold_inputs(
        self, connection: sa.Connection, job_id: str, request: gateway_pb2.CreateJobRequest
    ) -> None:
        """Records within the transaction that a new job of the tenant holds its video and captions."""
        names = [self._store.key(artifact_from_pb(artifact)) for artifact in artifacts_in(request)]
        self._holdings.hold_within(connection, current_tenant(), job_id, names)

    def hold_upload(self, upload_key: str, artifact: Artifact) -> None:
        """Records that an upload of the tenant holds the artifact, and the record that leads to it."""
        names = (self._store.key(artifact), f"records/uploads/{upload_key}")
        self._holdings.hold(current_tenant(), holder_of_upload(upload_key), names)

    def hold_given(self, artifact: Artifact) -> None:
        """Records that the tenant has given the content of `artifact` within a request."""
        key, owner = self._store.key(artifact), owner_of_uploads()
        self._holdings.hold(current_tenant(), holder_of_upload(f"{artifact.sha256}~{owner}"), (key,))


def owner_of_uploads() -> str:
    """The owner of uploads of the current call; "" for the default tenant, as in release 0.1."""
    tenant = current_tenant()
    return "" if tenant == DEFAULT_TENANT else tenant
