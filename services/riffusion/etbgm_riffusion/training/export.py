"""Writes the finished adapter, with its card inside the file and as a page beside it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import mean

from etbgm_riffusion.dataset.types import Dataset
from etbgm_riffusion.diffusion.card import CARD_KEY, Card, CardSource
from etbgm_riffusion.training.recipe import Recipe
from etbgm_riffusion.training.run import Point
from etbgm_riffusion.training.train import Trained

_PACKAGES = ("torch", "diffusers", "peft", "transformers", "accelerate")


def card_of(name: str, base: str, dataset: Dataset, recipe: Recipe, trained: Trained) -> Card:
    """Returns the card of an adapter trained on `dataset`."""
    sources = tuple(
        CardSource(
            source=one.source,
            sha256=one.sha256,
            clips=one.clips,
            **one.rights.model_dump(),
        )
        for one in dataset.sources
        if one.clips
    )
    results: dict[str, object] = {"best_step": trained.best_step, "held_out": trained.held_out}
    results["held_out_before"] = trained.held_out_before
    results["checks"] = checks_of(trained.curve, recipe.check_every)
    return Card(
        name=name,
        made_by="etbgm-riffusion train-lora",
        base=base,
        sources=sources,
        recipe={field: value for field, value in asdict(recipe).items() if field != "sample_emotions"},
        results=results,
        versions={package: version(package) for package in _PACKAGES},
        data={"made_by": dataset.made_by, "clips": dict(dataset.clips), **dataset.settings},
    )


def checks_of(curve: Sequence[Point], every: int) -> list[dict[str, float]]:
    """Returns the curve at the steps of checks: the mean loss of the steps since the last, and held-out loss.

    Step 0 is before training, so it has no mean.
    """
    steps: dict[int, list[float]] = defaultdict(list)
    held_out = {point.step: point.held_out for point in curve if point.held_out is not None}
    last = max((point.step for point in curve), default=0)
    for point in curve:
        if point.loss is not None:
            steps[min(-(-point.step // every) * every, last)].append(point.loss)
    checks = []
    for step in sorted(steps.keys() | held_out.keys()):
        check = {"step": float(step)}
        check |= {"loss": mean(steps[step])} if steps.get(step) else {}
        check |= {"held_out": held_out[step]} if step in held_out else {}
        checks.append(check)
    return checks


def export(best: Path, card: Card, folder: Path) -> Path:
    """Writes NAME.safetensors and NAME.md to `folder`, the weights last and at once; returns their path."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    with safe_open(best, "pt") as stored:
        notes = stored.metadata() or {}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{card.name}.md").write_text("".join(_page(card)), encoding="utf-8")
    path = folder / f"{card.name}.safetensors"
    part = folder / f".{card.name}.part"
    save_file(load_file(best), part, metadata=notes | {CARD_KEY: card.model_dump_json()})
    part.replace(path)
    return path


def _page(card: Card) -> Iterator[str]:
    commercial = {True: "yes", False: "no", None: "unknown"}
    yield f"# {card.name}\n\nAn adapter (LoRA) for {card.base}, made by `{card.made_by}`.\n\n"
    yield f"- Licences of the music: {card.licence}\n"
    yield f"- Commercial use of the music: {commercial[card.commercial_use]}\n"
    if card.credits:
        yield f"- Credits: {'; '.join(card.credits)}\n"
    yield "\nThe model that it adapts has a licence of its own, which results list beside this one.\n"
    yield f"\n## Data\n\n{_facts(card.data)}\n"
    yield "\n| source | clips | licence | owner | commercial use | SHA-256 |\n|---|---|---|---|---|---|\n"
    for one in card.sources:
        cells = (
            one.source,
            one.clips,
            one.licence,
            one.owner,
            commercial[one.commercial_use],
            one.sha256[:16],
        )
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |\n"
    yield f"\n## Training\n\n{_facts(card.recipe)}\n\n"
    yield "| step | mean loss since the row above | loss of held-out clips |\n|---|---|---|\n"
    for check in card.results.get("checks", []):
        losses = (f"{check[name]:.5f}" if name in check else "" for name in ("loss", "held_out"))
        yield f"| {check['step']:.0f} | {' | '.join(losses)} |\n"
    yield f"\nBest step: {card.results['best_step']}\n\n## Versions\n\n{_facts(card.versions)}\n"


def _facts(facts: dict[str, object] | dict[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())
