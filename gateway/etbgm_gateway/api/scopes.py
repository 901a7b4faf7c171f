"""The scope that each method needs."""

from etbgm_gateway.identity.types import ADMIN, READ, WRITE

SCOPE_OF = {
    **dict.fromkeys(
        ("GetUpload", "GetJob", "ListJobs", "WatchJob", "GetQueueStats", "DownloadArtifact"), READ
    ),
    **dict.fromkeys(("UploadVideo", "CreateJob", "RemixJob", "CancelJob", "DeleteJob"), WRITE),
    **dict.fromkeys(("CreateWebhook", "ListWebhooks", "DeleteWebhook"), WRITE),
    **dict.fromkeys(("RotateWebhookSecret", "TestWebhook"), WRITE),
    **dict.fromkeys(("CreateKey", "ListKeys", "RevokeKey"), ADMIN),
}
