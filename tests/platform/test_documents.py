"""Documents name only what exists: linked files, paths, make targets and commands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
LISTED = subprocess.run(
    ["git", "ls-files", "*.md", ".github/*.md"], cwd=ROOT, capture_output=True, text=True, check=False
)
DOCUMENTS = LISTED.stdout.split() or [str(path.relative_to(ROOT)) for path in ROOT.glob("*.md")]
FOLDERS = ["protos", "services", "gateway", "client", "examples", "deploy", "tests"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    local = [link for link in links if not link.startswith(("http://", "https://"))]
    assert [link for link in local if not (ROOT / document).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_from_the_root_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    paths = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`(?:\w+=\w+ )?|^    )make ([a-z-]+)", text, re.MULTILINE))
    assert named <= targets


MODULES = {
    "gateway/README.md": "gateway/etbgm_gateway",
    "services/kit/README.md": "services/kit/etbgm_kit",
    "services/stt/README.md": "services/stt/etbgm_stt",
    "services/sentiment/README.md": "services/sentiment/etbgm_sentiment",
    "services/mixer/README.md": "services/mixer/etbgm_mixer",
    "services/riffusion/README.md": "services/riffusion/etbgm_riffusion",
}


@pytest.mark.parametrize("document", MODULES)
def test_the_tables_of_modules_are_complete(document: str) -> None:
    """Every module of a package is named in its README, and every named module exists."""
    package = ROOT / MODULES[document]
    text = (ROOT / document).read_text(encoding="utf-8")
    table = text[text.index("| module |") :].split("\n\n")[0]
    named = {
        name.strip("/").rpartition("/")[2].removesuffix(".toml") for name in re.findall(r"`([\w/.]+)`", table)
    }
    modules = {path.stem for path in package.rglob("*.py") if not path.stem.startswith("_")}
    folders = {path.parent.name for path in package.rglob("*.py")}
    data = {path.stem for path in package.rglob("*.toml")}
    assert named <= modules | folders | data
    whole = {name.strip("/").rpartition("/")[2] for name in re.findall(r"`([\w/]+/)`", table)}
    inside = {path.stem for path in package.rglob("*.py") if path.parent.name in whole}
    assert modules - named - inside == set()


def test_the_commands_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text() + (ROOT / "client/README.md").read_text()
    code = "from etbgm_cli import main; main()"
    listed = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True
    )
    for command in set(re.findall(r"etbgm (run|compose|serve|jobs|models|doctor)\b", text)):
        assert command in listed.stdout
    options = subprocess.run(
        [sys.executable, "-c", code, "run", "--help"],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"},
    ).stdout  # fmt: skip
    section = text[text.index("Frequently used options") : text.index("Intermediate results are cached")]
    for option in re.findall(r"--[a-z][a-z-]+", section.partition("`etbgm run --help`")[0]):
        assert option in options
    assert "(default: 4)" in options, "square brackets would be taken for markup and vanish"
