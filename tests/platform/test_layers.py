"""Imports go one way: stubs, kit, one service; engines know nothing of gRPC."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "etbgm_kit": ROOT / "services/kit/etbgm_kit",
    "etbgm_stt": ROOT / "services/stt/etbgm_stt",
    "etbgm_sentiment": ROOT / "services/sentiment/etbgm_sentiment",
    "etbgm_riffusion": ROOT / "services/riffusion/etbgm_riffusion",
    "etbgm_mixer": ROOT / "services/mixer/etbgm_mixer",
    "etbgm_gateway": ROOT / "gateway/etbgm_gateway",
    "etbgm_client": ROOT / "client/etbgm_client",
    "etbgm_cli": ROOT / "client/etbgm_cli",
}
SPEAKS_GRPC = {"servicer.py", "converters.py", "assembly.py"}
"""The files of a service that may import grpc or generated code."""

HEAVY = {"torch", "transformers", "diffusers", "onnxruntime", "ctranslate2", "PIL", "av", "pysubs2", "scipy"}
"""Loaded only inside what needs them, so that servers open their port at once."""


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def modules(package: str) -> list[Path]:
    return list(PACKAGES[package].rglob("*.py"))


ALSO_ALLOWED = {"etbgm_client": set[str](), "etbgm_cli": {"etbgm_kit", "etbgm_client"}}
"""What a package may import beside the stubs and itself; {etbgm_kit} for all others."""


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package: str) -> None:
    allowed = {"etbgm", package} | ALSO_ALLOWED.get(package, {"etbgm_kit"})
    roots = {name.split(".")[0] for path in modules(package) for name in imports(path)}
    assert {root for root in roots if root.startswith("etbgm")} <= allowed
    assert modules(package)


FLOORS = {
    "etbgm_gateway": (
        *("__main__", "assembly", "parts", "http", "settings", "api", "identity", "queue", "pipeline"),
        *("observe", "results", "upstream", "outgoing", "store"),
    ),
    "etbgm_kit": (
        *(
            "serving",
            "media",
            "artifacts",
            "models",
            "picture_converters",
            "converters",
            "ranges",
            "errors",
            "types",
        ),
        *("json_value", "languages", "seeds"),
    ),
}
"""Rooms (folders, and modules beside them) from the top down: each imports only rooms below it."""


def arrows(package: str) -> set[tuple[str, str]]:
    """Which room imports which other one."""
    found = set()
    for path in modules(package):
        room = path.relative_to(PACKAGES[package]).parts[0].removesuffix(".py")
        names = [name.split(".") for name in imports(path) if name.startswith(f"{package}.")]
        found |= {(room, other) for _, other, *_ in names if other != room}
    return found


@pytest.mark.parametrize("package", FLOORS)
def test_rooms_import_only_the_rooms_below_them(package: str) -> None:
    floors = FLOORS[package]
    assert {room for each in arrows(package) for room in each} <= set(floors)
    assert not {each for each in arrows(package) if floors.index(each[0]) >= floors.index(each[1])}


@pytest.mark.parametrize("package", ["etbgm_stt", "etbgm_sentiment", "etbgm_riffusion", "etbgm_mixer"])
def test_only_the_edge_of_a_service_speaks_grpc(package: str) -> None:
    speakers = {
        path.name
        for path in modules(package)
        for name in imports(path)
        if name.split(".")[0] in ("grpc", "google", "etbgm")
    }
    assert speakers <= SPEAKS_GRPC


@pytest.mark.parametrize("package", PACKAGES)
def test_files_and_functions_stay_short(package: str) -> None:
    for path in modules(package):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 300, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and path.name != "app.py":
                assert node.end_lineno - node.lineno < 40, f"{path}:{node.name}"


@pytest.mark.parametrize("package", ["etbgm_stt", "etbgm_sentiment", "etbgm_riffusion", "etbgm_mixer"])
def test_importing_a_servicer_loads_nothing_heavy(package: str) -> None:
    code = f"import sys, {package}.assembly; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert set(done.stdout.split()) & HEAVY == set()
