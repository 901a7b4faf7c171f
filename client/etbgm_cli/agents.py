"""The API for agents: a Model Context Protocol server on standard input and output (`etbgm mcp`).

Specification: modelcontextprotocol.io. Tools read and write files of the user who runs the command.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.mixer.v1 import mixer_pb2
from etbgm_cli.delivery import staged
from etbgm_cli.options import MUSIC_LEVELS_LU, JobOptions, settings_of
from etbgm_cli.output import Place, check_place
from etbgm_cli.watching import STAGES, require_success, state_of
from etbgm_client import ApiError, AsyncClient
from etbgm_kit.errors import EtbgmError

INSTRUCTIONS = (
    "Adds royalty-free background music to videos. The music follows the emotions of what is said, and stays "
    "under the speech. score_video returns a job with several variants; fetch_result downloads them."
)

JobId = Annotated[str, Field(description="Id of a job.")]


class VariantFacts(BaseModel):
    """One soundtrack of a job."""

    number: int
    style: str
    speech_over_music_lu: float


class JobFacts(BaseModel):
    """A job, as agents see it."""

    job_id: str
    state: str
    error: str
    variants: list[VariantFacts]
    notes: list[str]


class Tools:
    """The tools; each connects to the gateway at `address`."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def score_video(
        self,
        context: Context[Any],
        path: Annotated[str, Field(description="The video file.")],
        style: Annotated[str, Field(description="A style or hints such as 'calm piano'.")] = "auto",
        variants: Annotated[int, Field(ge=1, le=8, description="Number of soundtracks.")] = 4,
        music: Annotated[
            Literal["low", "medium", "high"], Field(description="Level of the music.")
        ] = "medium",
    ) -> JobFacts:
        """Add background music to a video, and wait for it: about as long as the video lasts."""
        options = JobOptions(style=style, variants=variants, music=music)
        async with AsyncClient(self._address) as client:
            video = await client.upload(Path(path).expanduser())
            created = await client.create_job(video, await settings_of(options, client))
            return await _followed(client, created, context)

    async def remix_job(
        self,
        context: Context[Any],
        job_id: JobId,
        style: Annotated[str, Field(description="Another style; that of the job if empty.")] = "",
        music: Annotated[
            Literal["low", "medium", "high"] | None, Field(description="Another level of the music.")
        ] = None,
    ) -> JobFacts:
        """Make a new job from another one with another style or level of the music, and wait for it."""
        mix = mixer_pb2.MixSettings(speech_to_music_lu=MUSIC_LEVELS_LU[music]) if music else None
        remix = pb.RemixJobRequest(job_id=job_id, settings=pb.JobSettings(style=style, mix=mix))
        async with AsyncClient(self._address) as client:
            return await _followed(client, await client.remix_job(remix), context)

    async def list_jobs(
        self, limit: Annotated[int, Field(ge=1, le=100, description="Maximum number of jobs.")] = 20
    ) -> list[JobFacts]:
        """List the newest jobs, without their variants."""
        async with AsyncClient(self._address) as client:
            return [facts_of(job) for job in await client.list_jobs(limit)]

    async def get_job(self, job_id: JobId) -> JobFacts:
        """Return a job with its variants."""
        async with AsyncClient(self._address) as client:
            return facts_of(await client.get_job(job_id))

    async def cancel_job(self, job_id: JobId) -> JobFacts:
        """Stop a job."""
        async with AsyncClient(self._address) as client:
            return facts_of(await client.cancel_job(job_id))

    async def delete_job(self, job_id: JobId) -> None:
        """Delete a finished job and its files on the server."""
        async with AsyncClient(self._address) as client:
            await client.delete_job(job_id)

    async def fetch_result(
        self, job_id: JobId, folder: Annotated[str, Field(description="Folder to create.")]
    ) -> list[str]:
        """Download the files of a finished job: videos, music, captions, report; return their paths."""
        place = Path(folder).expanduser()
        check_place(Place(place))
        async with AsyncClient(self._address) as client:
            job = await client.get_job(job_id)
            require_success(job)
            with staged(place) as new:
                await client.fetch(job.result, new.folder)
        return sorted(str(path) for path in place.rglob("*") if path.is_file())


def server_of(address: str) -> MCPServer:
    """Returns the server whose tools use the gateway at `address`."""
    server = MCPServer("ET-BGM", instructions=INSTRUCTIONS, version=version("etbgm-client"))
    tools = Tools(address)
    for tool in (
        tools.score_video,
        tools.remix_job,
        tools.list_jobs,
        tools.get_job,
        tools.cancel_job,
        tools.delete_job,
        tools.fetch_result,
    ):
        server.tool()(_explained(tool))
    return server


def _explained(tool: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The same tool, whose expected errors are shown to the agent."""

    @wraps(tool)
    async def explained(*arguments: Any, **named: Any) -> Any:
        try:
            return await tool(*arguments, **named)
        except (ApiError, EtbgmError, OSError) as error:
            raise ToolError(str(error)) from error

    return explained


def facts_of(job: pb.Job) -> JobFacts:
    """Returns what an agent needs to know of the job."""
    return JobFacts(
        job_id=job.job_id,
        state=state_of(job),
        error=job.error.message,
        variants=[
            VariantFacts(
                number=variant.number,
                style=variant.style,
                speech_over_music_lu=round(variant.report.speech_to_music_lu, 1),
            )
            for variant in job.result.variants
        ],
        notes=list(job.result.notes),
    )


async def _followed(client: AsyncClient, created: pb.Job, context: Context[Any]) -> JobFacts:
    """Waits for the end of the job and reports its progress."""
    async for job in client.watch(created.job_id):
        await context.report_progress(_progress(job), 1.0, _stage(job))
    return facts_of(job)


def _progress(job: pb.Job) -> float:
    return sum(1.0 if stage.HasField("end_time") else stage.fraction for stage in job.stages) / len(STAGES)


def _stage(job: pb.Job) -> str:
    return STAGES.get(job.stages[-1].stage, "") if job.stages else "waiting in the queue"
