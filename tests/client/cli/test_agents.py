"""Agents use the API over the Model Context Protocol: a real client, `etbgm mcp`, a gateway, fake engines."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("agents")
    services = FakeServices(folder / "services", f"file://{folder}/store", {})
    gateway = Gateway(folder / "gateway", services).start()
    yield gateway
    gateway.kill()
    services.close()


@asynccontextmanager
async def agent_at(gateway: Gateway) -> AsyncIterator[Client]:
    command = str(Path(sys.executable).with_name("etbgm"))
    server = StdioServerParameters(command=command, args=["mcp", "--gateway", gateway.address])
    async with Client(stdio_client(server)) as client:
        yield client


async def call(agent: Client, tool: str, **arguments: Any) -> Any:
    """The structured answer of a tool that must succeed."""
    answer = await agent.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    assert answer.structured_content is not None
    return answer.structured_content


async def test_the_tools_describe_themselves(gateway: Gateway) -> None:
    async with agent_at(gateway) as agent:
        tools = {tool.name: tool for tool in (await agent.list_tools()).tools}
    assert set(tools) == {
        *("score_video", "remix_job", "list_jobs", "get_job", "cancel_job", "delete_job", "fetch_result"),
    }
    assert all(
        tool.description and tool.output_schema for tool in tools.values() if tool.name != "delete_job"
    )
    for parameter in tools["score_video"].input_schema["properties"].values():
        assert parameter["description"]


async def test_a_video_is_scored_listed_fetched_and_deleted(gateway: Gateway, tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    video.write_text(json.dumps({"duration_s": 5, "number": str(tmp_path)}))
    told: list[float] = []

    async def on_progress(progress: float, _total: float | None, _message: str | None) -> None:
        told.append(progress)

    async with agent_at(gateway) as agent:
        answer = await agent.call_tool(
            "score_video", {"path": str(video), "variants": 2}, progress_callback=on_progress
        )
        job = answer.structured_content
        assert job is not None
        assert (job["state"], [variant["number"] for variant in job["variants"]]) == ("succeeded", [1, 2])
        assert told == sorted(told)
        assert told[-1] == 1.0
        assert (await call(agent, "get_job", job_id=job["job_id"])) == job
        remix = await call(agent, "remix_job", job_id=job["job_id"], style="calm piano", music="high")
        assert (remix["state"], len(remix["variants"])) == ("succeeded", 2)
        assert remix["job_id"] != job["job_id"]
        await agent.call_tool("delete_job", {"job_id": remix["job_id"]})
        listed = (await call(agent, "list_jobs", limit=1))["result"]
        assert [each["job_id"] for each in listed] == [job["job_id"]]
        files = (await call(agent, "fetch_result", job_id=job["job_id"], folder=str(tmp_path / "out")))[
            "result"
        ]
        assert str(tmp_path / "out" / "variant-1.mp4") in files
        assert all(Path(file).is_file() for file in files)
        await agent.call_tool("delete_job", {"job_id": job["job_id"]})
        assert (await agent.call_tool("get_job", {"job_id": job["job_id"]})).is_error


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("score_video", {"path": "/nowhere.mp4"}, "nowhere.mp4"),
        ("score_video", {"path": "/etc/hostname", "variants": 9}, "less than or equal to 8"),
        ("get_job", {"job_id": "nothing"}, "no such job"),
        ("fetch_result", {"job_id": "nothing", "folder": "/proc/x"}, "/proc"),
    ],
)
async def test_mistakes_are_explained(
    gateway: Gateway, tool: str, arguments: dict[str, object], words: str
) -> None:
    async with agent_at(gateway) as agent:
        answer = await agent.call_tool(tool, arguments)
    assert answer.is_error
    assert words in str(answer.content)
