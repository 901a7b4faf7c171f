"""Revisions move with whatever can move a result, and nobody has to remember them."""

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from etbgm_kit.artifacts.revision import revision_of, sources_of, version_of

pytestmark = pytest.mark.process

ENGINES = (
    "etbgm_mixer.service", "etbgm_mixer.separation.deepfilter_engine",
    "etbgm_mixer.separation.demucs_engine", "etbgm_stt.service",
    "etbgm_stt.whisper_engine", "etbgm_sentiment.service",
    "etbgm_sentiment.onnx_classifier", "etbgm_riffusion.service", "etbgm_riffusion.composer.engine",
    "etbgm_riffusion.diffusion.engine",
)  # fmt: skip
"""Modules that state a revision."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two packages: `etbgm_a.engine` imports a module of the other one, and has a table."""
    files = {
        "etbgm_a/__init__.py": "",
        "etbgm_a/engine.py": "import numpy as np\nfrom etbgm_b import (\n    near,\n)\n",
        "etbgm_a/table.toml": "x = 1\n",
        "etbgm_a/command.py": "print(1)\n",
        "etbgm_b/__init__.py": "",
        "etbgm_b/near.py": "def work():\n    from etbgm_b.far import number\n    return number\n",
        "etbgm_b/far.py": "number = 1\n",
        "etbgm_b/alone.py": "number = 2\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def revision_in(project: Path) -> str:
    """The revision of `etbgm_a.engine`, as a fresh process has it."""
    code = "from etbgm_kit.artifacts.revision import revision_of; print(revision_of('etbgm_a.engine'))"
    path = os.pathsep.join([str(project), *sys.path])
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()


@pytest.mark.parametrize(
    ("changed", "moves"),
    [
        ("etbgm_a/engine.py", True),
        ("etbgm_a/table.toml", True),
        ("etbgm_a/__init__.py", True),
        ("etbgm_b/near.py", True),
        ("etbgm_b/far.py", True),
        ("etbgm_a/command.py", False),
        ("etbgm_b/alone.py", False),
    ],
)
def test_a_changed_file_moves_the_revision_of_what_imports_it(
    project: Path, changed: str, moves: bool
) -> None:
    before = revision_in(project)
    with (project / changed).open("a") as file:
        file.write("# changed\n")
    assert (revision_in(project) != before) == moves


def test_facts_move_the_revision() -> None:
    module = "etbgm_kit.media.captions"
    assert revision_of(module, facts=("cpu", 1)) == revision_of(module, facts=("cpu", 1))
    assert len({revision_of(module, facts=facts) for facts in ((), ("cpu", 1), ("cuda", 1))}) == 3


def test_a_library_moves_the_revision(project: Path) -> None:
    before = revision_in(project)
    other = project / "numpy-0.0.1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    assert revision_in(project) != before


@pytest.mark.parametrize("engine", ENGINES)
def test_no_import_is_overlooked(engine: str) -> None:
    files, libraries = sources_of(engine)
    sources = [path for path in files.values() if path.suffix == ".py"]
    assert len(sources) > 5
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _imported(node):
                root = name.partition(".")[0]
                is_project = root.startswith("etbgm_") and (name not in files and _is_module(name))
                assert not is_project, f"{path} imports {name}"
                assert root.startswith("etbgm") or root in libraries | sys.stdlib_module_names, path


@pytest.mark.parametrize("engine", ENGINES)
def test_every_installed_library_has_a_version(engine: str) -> None:
    _, libraries = sources_of(engine)
    installed = {name for name in libraries if find_spec(name)}
    assert installed
    assert {name for name in installed if version_of(name) is None} == set()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a name inside a module
        return False


def test_a_revision_is_known_at_once() -> None:
    code = """if True:
        import time
        from etbgm_kit.artifacts.revision import revision_of
        begin = time.process_time()
        revision_of("etbgm_riffusion.diffusion.engine")
        print(time.process_time() - begin)"""
    took_s = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(took_s) < 0.05
