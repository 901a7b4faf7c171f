"""The scope that each method needs."""

from etbgm_gateway.identity.types import ADMIN, READ, WRITE

_READING = (
    *("GetUpload", "GetJob", "ListJobs", "WatchJob", "DownloadArtifact", "CreateDownloadLink"),
    *("GetQueueStats", "GetCapabilities", "ListShares", "OpenSession", "CloseSession"),
)
_WRITING = (
    *("UploadVideo", "CreateUploadLink", "CreateJob", "RemixJob"),
    *("SelectVariant", "CancelJob", "DeleteJob", "CreateShare", "DeleteShare"),
)
SCOPE_OF = {
    **dict.fromkeys(_READING, READ),
    **dict.fromkeys(_WRITING, WRITE),
    **dict.fromkeys(("CreateWebhook", "ListWebhooks", "DeleteWebhook"), WRITE),
    **dict.fromkeys(("RotateWebhookSecret", "TestWebhook"), WRITE),
    **dict.fromkeys(("CreateKey", "ListKeys", "RevokeKey"), ADMIN),
}

SHARED = frozenset({"GetJob", "DownloadArtifact", "GetCapabilities"})
"""What someone with a link to a job may call; the first two only for this job."""

AUDITED = {name for name, scope in SCOPE_OF.items() if scope != READ and not name.startswith("List")}
"""Methods whose calls the audit log has: those that change something."""
