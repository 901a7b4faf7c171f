"""Attacks over gRPC."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import keys_pb2
from etbgm.media.v1 import media_pb2
from tests.gateway.attacks.world import MOST_UPLOAD_BYTES, World

Sent = Message | bytes | Iterable[Message]
GATEWAY, KEYS = "etbgm.gateway.v1.GatewayService", "etbgm.gateway.v1.KeyService"
NAN, INFINITY = float("nan"), float("inf")


@dataclass(frozen=True)
class Attack:
    """A call and the status that must answer it; `reason` is that of its ErrorInfo, "" where gRPC refuses.

    `metadata` replaces the key of bob.
    """

    name: str
    method: str
    sent: Callable[[World], Sent]
    code: str
    reason: str = "INVALID_FIELD"
    metadata: Callable[[World], tuple[tuple[str, str | bytes], ...]] = lambda w: bearer(w.bob)
    service: str = GATEWAY


def bearer(key: str) -> tuple[tuple[str, str | bytes], ...]:
    """The metadata of a caller with this key."""
    return (("authorization", f"Bearer {key}"),)


def always(sent: Sent) -> Callable[[World], Sent]:
    """Does not depend on the world."""
    return lambda _: sent


def job(**settings: Any) -> Callable[[World], Sent]:
    """A job with bob's video and these settings."""
    return lambda w: pb.CreateJobRequest(video=w.video, settings=pb.JobSettings(**settings))


def job_of(uri: str = "", **changes: Any) -> Callable[[World], Sent]:
    """A job with bob's video, but with another uri or other fields."""

    def request(world: World) -> Sent:
        video = media_pb2.Artifact()
        video.CopyFrom(world.video)
        video.MergeFrom(media_pb2.Artifact(uri=uri, **changes))
        return pb.CreateJobRequest(video=video, settings=pb.JobSettings(variants=1))

    return request


def timeline(*spans: dict[str, Any], duration_s: int = 5) -> Callable[[World], Sent]:
    """A job with this timeline."""
    return job(timeline={"duration": {"seconds": duration_s}, "spans": spans})


def span(start: int, end: int, **others: Any) -> dict[str, Any]:
    """A span in whole seconds."""
    return {"span": {"start": {"seconds": start}, "end": {"seconds": end}}, "emotion": 4} | others


def opening(*data: bytes, **fields: Any) -> Callable[[World], Sent]:
    """An upload with this opening and these bytes."""
    first = pb.UploadVideoRequest(opening=pb.UploadOpening(**{"upload_id": "attacker", **fields}))
    return always([first, *(pb.UploadVideoRequest(data=each) for each in data)])


def nested(depth: int) -> bytes:
    """An unknown group in a group, and so on: the beginning and the end tags of field 99."""
    return b"\x9b\x06" * depth + b"\x9c\x06" * depth


def read(uri: str, **fields: Any) -> Callable[[World], Sent]:
    """A download."""
    return always(pb.DownloadArtifactRequest(uri=uri, **fields))


BAD, GONE = "INVALID_ARGUMENT", "NOT_FOUND"
JOBS = (
    Attack("a job of nothing", "CreateJob", always(pb.CreateJobRequest()), BAD),
    Attack("a file of the server as video", "CreateJob", job_of("file:///etc/passwd"), BAD),
    Attack("an address in the network as video", "CreateJob", job_of("http://169.254.169.254/x"), BAD),
    Attack("a protocol of ffmpeg as video", "CreateJob", job_of("concat:/etc/passwd|/etc/group"), BAD),
    Attack("a path out of the store", "CreateJob", job_of(f"artifact://sha256/../../{'a' * 64}"), BAD),
    Attack("a bucket that is not the store", "CreateJob", job_of(f"s3://other/artifacts/aa/{'a' * 64}"), BAD),
    Attack("NUL in a uri", "CreateJob", job_of("artifact://sha256/\0"), BAD),
    Attack("two slashes as uri", "CreateJob", job_of("//"), BAD),
    Attack("a uri of 5,000 characters", "CreateJob", job_of("artifact://" + "a" * 5000), BAD),
    Attack("the address of other content", "CreateJob", job_of(f"artifact://sha256/{'0' * 64}"), BAD),
    Attack("a hash that is none", "CreateJob", job_of(sha256="../" * 20), BAD),
    Attack("a wrong size", "CreateJob", job_of(size_bytes=1), GONE, "NOT_FOUND"),
    Attack("a negative size", "CreateJob", job_of(size_bytes=-1), BAD),
    Attack("a media type of 3 MB", "CreateJob", job_of(media_type="video/" + "x" * 3_000_000), BAD),
    Attack("a media type with a line break", "CreateJob", job_of(media_type="video/mp4\r\nx: y"), BAD),
    Attack("the video of another tenant", "CreateJob", lambda w: pb.CreateJobRequest(video=w.theirs), GONE, "NOT_FOUND"),
    Attack("no variants", "CreateJob", job(variants=0), BAD),
    Attack("2³¹ − 1 variants", "CreateJob", job(variants=2**31 - 1), BAD),
    Attack("a random seed of 2⁵³", "CreateJob", job(random_seed=2**53), BAD),
    Attack("a negative random seed", "CreateJob", job(random_seed=-(2**63)), BAD),
    Attack("a style with an escape sequence", "CreateJob", job(style="\x1b[2Jcalm"), BAD),
    Attack("a style that reverses the text around it", "CreateJob", job(style="calm\u202epiano"), BAD),
    Attack("a style of a megabyte", "CreateJob", job(style="calm " * 200_000), BAD),
    Attack("SQL as style", "CreateJob", job(style="'; DROP TABLE jobs; --"), BAD),
    Attack("an unknown method of smoothing", "CreateJob", job(smoothing=99), BAD),
    Attack("a negative duration", "CreateJob", job(min_emotion_duration={"seconds": -1}), BAD),
    Attack("a duration of 10,000 years", "CreateJob", job(min_emotion_duration={"seconds": 315_576_000_001}), BAD),
    Attack("a duration with nanoseconds beyond a second", "CreateJob", job(min_emotion_duration={"nanos": 2**31 - 1}), BAD),
    Attack("a duration whose parts disagree in sign", "CreateJob", job(min_emotion_duration={"seconds": 1, "nanos": -1}), BAD),
    Attack("a container that is a path", "CreateJob", job(container="../mp4"), BAD),
    Attack("a language that is an option", "CreateJob", job(language="-i /etc/passwd"), BAD),
    Attack("captions of another tenant", "CreateJob", lambda w: job(captions=_captions(w))(w), GONE, "NOT_FOUND"),
    Attack("a video as captions", "CreateJob", lambda w: job(captions=w.video)(w), BAD),
    Attack("a loudness that is no number", "CreateJob", job(mix={"target_loudness_lufs": NAN}), BAD),
    Attack("an infinite lift", "CreateJob", job(mix={"music_lift_db": INFINITY}), BAD),
    Attack("a distance of 1e308", "CreateJob", job(mix={"speech_to_music_lu": 1e308}), BAD),
    Attack("a denoising strength that is no number", "CreateJob", job(diffusion={"denoising_strength": NAN}), BAD),
    Attack("2³¹ − 1 steps", "CreateJob", job(diffusion={"steps": 2**31 - 1}), BAD),
    Attack("a hundred adapters", "CreateJob", job(diffusion={"adapters": [{"name": "a"}] * 100}), BAD),
    Attack("an adapter that is a path", "CreateJob", job(diffusion={"adapters": [{"name": "../../x"}]}), BAD),
    Attack("an unknown emotion", "CreateJob", timeline(span(0, 5, emotion=99)), BAD),
    Attack("a probability that is no number", "CreateJob", timeline(span(0, 5, probability=NAN)), BAD),
    Attack("spans that overlap", "CreateJob", timeline(span(0, 4), span(2, 5)), BAD),
    Attack("a span that ends before it begins", "CreateJob", timeline(span(5, 0)), BAD),
    Attack("a timeline longer than the video", "CreateJob", timeline(span(0, 50), duration_s=50), BAD),
    Attack("1,000 spans in 5 s", "CreateJob", timeline(*[span(0, 5)] * 1000), BAD),
    Attack("50,000 spans", "CreateJob", timeline(*[span(0, 5)] * 50_000, duration_s=50_000), BAD),
    Attack("2,000,000 spans in 4 MB", "CreateJob", always(pb.CreateJobRequest(settings=pb.JobSettings(timeline={"spans": [{}] * 2_000_000}))), BAD),
    Attack("a million scores of one span", "CreateJob", timeline(span(0, 5, scores=[{}] * 1_000_000)), BAD),
    Attack("500,000 spans", "CreateJob", timeline(*[{}] * 2_500_000), "RESOURCE_EXHAUSTED", ""),
    Attack("a short request id", "CreateJob", lambda w: pb.CreateJobRequest(video=w.video, request_id="a"), BAD),
    Attack("a request id that is a path", "CreateJob", lambda w: pb.CreateJobRequest(video=w.video, request_id="../../../x"), BAD),
)  # fmt: skip
FORMS = (
    Attack("a varint without an end", "CreateJob", always(b"\xff" * 20), BAD),
    Attack("a length beyond the message", "CreateJob", always(b"\x0a\xff\xff\xff\xff\x07"), BAD),
    Attack("text that is not UTF-8", "GetJob", always(b"\x0a\x02\xff\xfe"), BAD),
    Attack("another wire type than the field's", "ListJobs", always(b"\x0d"), BAD),
    Attack("200 groups within each other", "ListJobs", always(nested(200)), BAD),
    Attack("a message of 5 MB", "ListJobs", always(bytes(5 << 20)), "RESOURCE_EXHAUSTED", ""),
    Attack("an unknown method", "DropJobs", always(b""), "UNIMPLEMENTED", ""),
    Attack("an unknown service", "Run", always(b""), "UNIMPLEMENTED", "", service="os.system"),
    Attack("a scaler's method at the clients' port", "GetMetrics", always(b""), "UNIMPLEMENTED", "", service="externalscaler.ExternalScaler"),
    Attack("metadata of 64 KB", "ListJobs", always(b""), "RESOURCE_EXHAUSTED", "", lambda w: (*bearer(w.bob), ("x", "y" * 65536))),
    Attack("10,000 entries of metadata", "ListJobs", always(b""), "RESOURCE_EXHAUSTED", "", lambda w: (*bearer(w.bob), *[("x", "y")] * 10_000)),
    Attack("−1 jobs on a page", "ListJobs", always(pb.ListJobsRequest(page_size=-1)), BAD),
    Attack("SQL as page token", "ListJobs", always(pb.ListJobsRequest(page_token="' OR '1'='1")), BAD),
    Attack("an unknown state", "ListJobs", always(pb.ListJobsRequest(states=[99])), BAD),
    Attack("300,000 states", "ListJobs", always(pb.ListJobsRequest(states=[pb.STATE_QUEUED] * 300_000)), BAD),
    Attack("NUL in a job's id", "GetJob", always(pb.GetJobRequest(job_id="\0" * 36)), GONE, "NOT_FOUND"),
    Attack("a job's id of a megabyte", "GetJob", always(pb.GetJobRequest(job_id="a" * 1_000_000)), GONE, "NOT_FOUND"),
    Attack("a pattern as job's id", "GetJob", always(pb.GetJobRequest(job_id="%" * 36)), GONE, "NOT_FOUND"),
)  # fmt: skip
UPLOADS = (
    Attack("an upload without an opening", "UploadVideo", always([]), BAD),
    Attack("bytes before the opening", "UploadVideo", always([pb.UploadVideoRequest(data=b"a")]), BAD),
    Attack("two openings", "UploadVideo", always([pb.UploadVideoRequest(opening=pb.UploadOpening(upload_id="two-openings", size_bytes=9))] * 2), BAD),
    Attack("an upload's id that is a path", "UploadVideo", opening(upload_id="../../etc/cron.d/x", size_bytes=1), BAD),
    Attack("an upload's id with a tilde", "UploadVideo", opening(upload_id="abcdefgh~" + "0" * 40, size_bytes=1), BAD),
    Attack("an upload of nothing", "UploadVideo", opening(size_bytes=0), BAD),
    Attack("an upload of a negative size", "UploadVideo", opening(size_bytes=-1), BAD),
    Attack("an upload beyond the limit", "UploadVideo", opening(size_bytes=MOST_UPLOAD_BYTES + 1), BAD),
    Attack("an upload of 2⁶³ − 1 bytes", "UploadVideo", opening(size_bytes=2**63 - 1), BAD),
    Attack("an upload that starts in the middle", "UploadVideo", opening(upload_id="in-the-middle", size_bytes=9, offset_bytes=5), GONE, "NOT_FOUND"),
    Attack("an upload that starts before its beginning", "UploadVideo", opening(upload_id="half-an-upload", size_bytes=20, offset_bytes=-1), "ALREADY_EXISTS", "UPLOAD_ID_USED"),
    Attack("an upload of a web page", "UploadVideo", opening(size_bytes=1, media_type="text/html"), BAD),
    Attack("an upload with a hash in capitals", "UploadVideo", opening(size_bytes=1, sha256="A" * 64), BAD),
    Attack("an upload of other bytes", "UploadVideo", opening(b"a", upload_id="other-bytes", size_bytes=1, sha256="0" * 64), BAD),
    Attack("more bytes than announced", "UploadVideo", opening(b"aaaa", upload_id="more-bytes", size_bytes=1), BAD),
    Attack("an upload's message of 2 MiB", "UploadVideo", opening(bytes(2 << 20), upload_id="large-message", size_bytes=4 << 20), BAD),
    Attack("another file for an upload's id", "UploadVideo", opening(upload_id="half-an-upload", size_bytes=5), "ALREADY_EXISTS", "UPLOAD_ID_USED"),
    Attack("the upload of another tenant, continued", "UploadVideo", opening(b"b", upload_id="the-upload-of-alice", size_bytes=20, offset_bytes=10), GONE, "NOT_FOUND"),
    Attack("the upload of another tenant, read", "GetUpload", lambda w: pb.GetUploadRequest(upload_id=w.alices_upload_id), GONE, "NOT_FOUND"),
    Attack("a path as upload's id, read", "GetUpload", always(pb.GetUploadRequest(upload_id="../../../../etc/passwd")), BAD),
    Attack("a file of the server, downloaded", "DownloadArtifact", read("file:///etc/passwd"), BAD),
    Attack("a path out of the store, downloaded", "DownloadArtifact", read("artifact://sha256/../../../etc/passwd"), BAD),
    Attack("a path out of an old store, downloaded", "DownloadArtifact", read(f"file:///x/artifacts/../../artifacts/aa/{'a' * 64}"), GONE, "NOT_FOUND"),
    Attack("a record of the store, downloaded", "DownloadArtifact", read("artifact://records/uploads/half-an-upload"), BAD),
    Attack("a negative offset", "DownloadArtifact", lambda w: pb.DownloadArtifactRequest(uri=w.video.uri, offset_bytes=-1), BAD),
    Attack("a negative length", "DownloadArtifact", lambda w: pb.DownloadArtifactRequest(uri=w.video.uri, length_bytes=-1), BAD),
    Attack("an offset beyond the end", "DownloadArtifact", lambda w: pb.DownloadArtifactRequest(uri=w.video.uri, offset_bytes=2**62), "OUT_OF_RANGE", "BEYOND_END"),
    Attack("the result of another tenant, downloaded", "DownloadArtifact", lambda w: pb.DownloadArtifactRequest(uri=w.theirs.uri), GONE, "NOT_FOUND"),
)  # fmt: skip
IDENTITY = (
    Attack("no key", "ListJobs", always(b""), "UNAUTHENTICATED", "UNAUTHENTICATED", lambda _: ()),
    Attack("an empty key", "ListJobs", always(b""), "UNAUTHENTICATED", "UNAUTHENTICATED", lambda _: bearer("")),
    Attack("another scheme", "ListJobs", always(b""), "UNAUTHENTICATED", "UNAUTHENTICATED", lambda w: (("authorization", f"Basic {w.bob}"),)),
    Attack("a key in another header", "ListJobs", always(b""), "UNAUTHENTICATED", "UNAUTHENTICATED", lambda w: (("x-api-key", w.bob),)),
    Attack("a key with another end", "ListJobs", always(b""), "UNAUTHENTICATED", "UNAUTHENTICATED", lambda w: bearer(w.bob[:-4] + "AAAA")),
    Attack("a key of a megabyte", "ListJobs", always(b""), "RESOURCE_EXHAUSTED", "", lambda _: bearer("a" * 1_000_000)),
    Attack("SQL as key", "ListJobs", always(b""), "UNAUTHENTICATED", "UNAUTHENTICATED", lambda _: bearer("etbgm_' OR 1=1; --_" + "a" * 43)),
    Attack("an unsigned token", "ListJobs", always(b""), "UNAUTHENTICATED", "UNAUTHENTICATED", lambda _: bearer("eyJhbGciOiJub25lIn0.eyJ0ZW5hbnQiOiJhbGljZSJ9.")),
    Attack("a job with a key that only reads", "CreateJob", job(variants=1), "PERMISSION_DENIED", "SCOPE_MISSING", lambda w: bearer(w.reader)),
    Attack("a new key by who is no operator", "CreateKey", always(keys_pb2.CreateKeyRequest(tenant="alice")), "PERMISSION_DENIED", "SCOPE_MISSING", service=KEYS),
    Attack("the list of keys by who is no operator", "ListKeys", always(b""), "PERMISSION_DENIED", "SCOPE_MISSING", service=KEYS),
    Attack("a key revoked by who is no operator", "RevokeKey", lambda w: keys_pb2.RevokeKeyRequest(key_id=w.alice.split("_")[1]), "PERMISSION_DENIED", "SCOPE_MISSING", service=KEYS),
    Attack("the job of another tenant, read", "GetJob", lambda w: pb.GetJobRequest(job_id=w.job.job_id), GONE, "NOT_FOUND"),
    Attack("the job of another tenant, watched", "WatchJob", lambda w: pb.WatchJobRequest(job_id=w.job.job_id), GONE, "NOT_FOUND"),
    Attack("the job of another tenant, cancelled", "CancelJob", lambda w: pb.CancelJobRequest(job_id=w.job.job_id), GONE, "NOT_FOUND"),
    Attack("the job of another tenant, deleted", "DeleteJob", lambda w: pb.DeleteJobRequest(job_id=w.job.job_id), GONE, "NOT_FOUND"),
    Attack("another tenant named in a header", "GetJob", lambda w: pb.GetJobRequest(job_id=w.job.job_id), GONE, "NOT_FOUND", lambda w: (*bearer(w.bob), ("x-tenant", "alice"), ("tenant", "alice"))),
)  # fmt: skip
ATTACKS = (*JOBS, *FORMS, *UPLOADS, *IDENTITY)


def _captions(world: World) -> media_pb2.Artifact:
    theirs = media_pb2.Artifact()
    theirs.CopyFrom(world.job.result.transcript_vtt)
    return theirs
