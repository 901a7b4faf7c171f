"""A whole training: checks, encoding, training, export. What `etbgm-riffusion train-lora` does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etbgm_riffusion.choice import Precision
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.types import DatasetError, Split
from etbgm_riffusion.diffusion import pipeline as pipelines
from etbgm_riffusion.diffusion import prompts
from etbgm_riffusion.diffusion.adapters import is_name
from etbgm_riffusion.diffusion.engine import commit_of
from etbgm_riffusion.training import preflight
from etbgm_riffusion.training.clips import Clips, encoded
from etbgm_riffusion.training.export import card_of, export
from etbgm_riffusion.training.recipe import Recipe
from etbgm_riffusion.training.run import Point, RunFolder
from etbgm_riffusion.training.samples import Sampler
from etbgm_riffusion.training.train import Trained, Trainer


@dataclass(frozen=True)
class Order:
    """What to train: a data set, a model, a name, and where to put things.

    `model` is a folder or a Hugging Face hub id; `prior` is the data set for prior preservation.
    """

    dataset: Path
    name: str
    model: Path | str
    device: str
    adapters_dir: Path
    run: Path
    prior: Path | None = None
    prompts_file: Path | None = None
    allow_long_captions: bool = False


@dataclass(frozen=True)
class Told:
    """Who hears of progress: the estimate, clips encoded, points of the curve; and whether to stop."""

    estimate: Callable[[preflight.Estimate], None]
    encoded: Callable[[int], None]
    point: Callable[[Point], None]
    should_stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Result:
    """The finished adapter and how its training went."""

    path: Path
    trained: Trained


def train_adapter(order: Order, recipe: Recipe, composer: ComposerEngine | None, told: Told) -> Result:
    """Trains an adapter, or continues to; blocks. Without a composer, no samples are made.

    Raises DatasetError for what cannot be trained, BrokenModel, and Stopped if `told` says so.
    """
    if not is_name(order.name):
        raise DatasetError(
            f"{order.name!r} is no name for an adapter: use letters, digits, - and _, at most 64"
        )
    if (recipe.prior_weight > 0) is not (order.prior is not None):
        raise DatasetError("prior preservation needs both a weight and a second data set")
    folder = DatasetFolder(order.dataset)
    dataset = folder.dataset()
    pipeline = pipelines.load(order.model, order.device, commit_of(order.model), precision_of(recipe, order))
    told.estimate(preflight.check(pipeline, folder, recipe, order.run, order.allow_long_captions))
    model = pipeline.digest()
    facts = {"model": model, "clips": dict(dataset.clips), "sources": [one.sha256 for one in dataset.sources]}
    run = RunFolder(order.run, recipe.identity() | facts)

    def latents(where: DatasetFolder, split: Split, name: str) -> Clips:
        return encoded(where, split, pipeline, model, run.path / f"latents-{name}.npy", told.encoded)

    prior = latents(DatasetFolder(order.prior), "train", "prior") if order.prior else None
    sampler = Sampler(pipeline, composer, prompts.load(order.prompts_file)) if composer else None
    clips, held_out = latents(folder, "train", "train"), latents(folder, "validation", "validation")
    trained = Trainer(pipeline, recipe, run, clips, held_out, prior, sampler).train(
        told.point, told.should_stop
    )
    card = card_of(order.name, f"{_named(order.model)} ({model})", dataset, recipe, trained)
    return Result(export(run.best, card, order.adapters_dir), trained)


def precision_of(recipe: Recipe, order: Order) -> Precision:
    """Returns the precision to load: bf16 on GPUs that compute in it, whose range needs no loss scaling."""
    import torch

    if recipe.precision == "auto" and order.device != "cpu" and torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return recipe.precision


def _named(model: Path | str) -> str:
    return model.resolve().name if isinstance(model, Path) else model
