"""`etbgm-riffusion train-lora` and `evaluate-lora`."""

import signal
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from etbgm_kit.models.folders import locate
from etbgm_kit.serving.settings import default_models_dir
from etbgm_kit.types import Emotion
from etbgm_riffusion.choice import is_hub_id
from etbgm_riffusion.console import console, print_facts, progress_bar, told

if TYPE_CHECKING:
    from etbgm_riffusion.training.preflight import Estimate

Dataset = Annotated[Path, typer.Argument(help="Folder of a finished data set.")]
Model = Annotated[
    str,
    typer.Option(envvar="ETBGM_RIFFUSION_MODEL", help="Installed model, folder, or owner/name on the hub."),
]
ModelsDir = Annotated[
    Path, typer.Option(envvar="ETBGM_MODELS_DIR", help="Folder of models.", show_default=False)
]
AdaptersDir = Annotated[
    Path | None,
    typer.Option(envvar="ETBGM_ADAPTERS_DIR", help="Folder of adapters. Default: adapters in MODELS_DIR."),
]
DeviceName = Annotated[str, typer.Option(envvar="ETBGM_DEVICE", help="auto, cpu or cuda.")]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads.")]
_GB = 1 << 30


def train_lora(
    dataset: Dataset,
    name: Annotated[str, typer.Option(help="Name of the adapter: NAME.safetensors.")],
    run: Annotated[Path | None, typer.Option(help="Folder of the run. Default: NAME-run.")] = None,
    model: Model = "riffusion-model-v1",
    models_dir: ModelsDir = default_models_dir(),  # noqa: B008
    adapters_dir: AdaptersDir = None,
    device: DeviceName = "auto",
    steps: Annotated[int, typer.Option(min=1)] = 1000,
    batch: Annotated[int, typer.Option(min=1, help="Clips computed together.")] = 4,
    accumulation: Annotated[int, typer.Option(min=1, help="Batches of one step.")] = 1,
    rank: Annotated[int, typer.Option(min=1, max=1024)] = 16,
    target: Annotated[
        list[str] | None, typer.Option(help="End of the names of layers to adapt; repeatable.")
    ] = None,
    learning_rate: Annotated[float, typer.Option(min=1e-7, max=0.1)] = 1e-4,
    warm_up: Annotated[int, typer.Option(min=0, help="Steps of rising learning rate.")] = 50,
    min_snr: Annotated[float, typer.Option(min=0, help="Gamma of min-SNR weighting; 0: off.")] = 5.0,
    caption_dropout: Annotated[float, typer.Option(min=0, max=1)] = 0.1,
    prior: Annotated[Path | None, typer.Option(help="Second data set, for prior preservation.")] = None,
    prior_weight: Annotated[float, typer.Option(min=0, help="Weight of prior preservation.")] = 0.0,
    ema: Annotated[float, typer.Option(min=0, max=0.99999, help="Decay of averaged weights.")] = 0.99,
    gradient_checkpointing: Annotated[bool, typer.Option(help="Less memory, more time.")] = False,
    precision: Annotated[str, typer.Option(help="auto, fp32, fp16 or bf16.")] = "auto",
    check_every: Annotated[int, typer.Option(min=1, help="Steps between checks, which save.")] = 100,
    patience: Annotated[int, typer.Option(min=0, help="Checks without progress before the end.")] = 10,
    sample_every: Annotated[int, typer.Option(min=0, help="Steps between samples; 0: none.")] = 500,
    sample_emotion: Annotated[
        list[Emotion] | None, typer.Option(help="Emotion of samples; repeatable. Default: all.")
    ] = None,
    prompts_file: Annotated[Path | None, typer.Option(envvar="ETBGM_PROMPTS_FILE")] = None,
    random_seed: Annotated[int, typer.Option(min=0)] = 1,
    allow_long_captions: Annotated[bool, typer.Option(help="Cut captions over 77 tokens.")] = False,
    threads: Threads = 2,
) -> None:
    """Train an adapter (LoRA). The same command continues an interrupted run to the same result."""
    with told():
        import torch

        from etbgm_riffusion.composer.engine import ComposerEngine
        from etbgm_riffusion.training.recipe import ATTENTION, Recipe
        from etbgm_riffusion.training.run import Point
        from etbgm_riffusion.training.session import Order, Told, train_adapter

        torch.set_num_threads(threads)
        recipe = Recipe(
            steps=steps, batch=batch, accumulation=accumulation, rank=rank,
            targets=tuple(target or ATTENTION), learning_rate=learning_rate, warm_up=warm_up,
            min_snr=min_snr, caption_dropout=caption_dropout, prior_weight=prior_weight, ema=ema,
            checkpointing=gradient_checkpointing, precision=precision,  # type: ignore[arg-type]
            check_every=check_every, patience=patience, sample_every=sample_every,
            sample_emotions=tuple(sample_emotion or Emotion), random_seed=random_seed,
        )  # fmt: skip
        folder = adapters_dir or models_dir / "adapters"
        order = Order(
            dataset, name, model_at(models_dir, model), device, folder, run or Path(f"{name}-run"),
            prior, prompts_file, allow_long_captions,
        )  # fmt: skip
        composer = ComposerEngine(None) if sample_every else None
        if composer:
            composer.load()
        with progress_bar() as progress:
            task = progress.add_task("training", total=steps)

            def show(point: Point) -> None:
                progress.update(task, completed=point.step)
                if point.held_out is not None:
                    progress.console.print(f"step {point.step}: held-out loss {point.held_out:.5f}")

            result = train_adapter(
                order,
                recipe,
                composer,
                Told(_print_estimate, lambda _: None, show, stopped_by_sigterm().is_set),
            )
        trained = result.trained
        facts: dict[str, object] = {"adapter": result.path, "best step": trained.best_step}
        facts |= {"held-out loss before": trained.held_out_before, "after": trained.held_out}
        print_facts(name, {**facts, "to use it": f"etbgm run VIDEO --adapter {name}"})


def stopped_by_sigterm() -> Event:
    """Returns an event that is set by SIGTERM, as when a pod is evicted: the step ends and is saved."""
    stopped = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    return stopped


def _print_estimate(estimate: "Estimate") -> None:
    console.print(
        f"Estimated memory: {estimate.memory / _GB:.2f} GB without checkpointing, of which "
        f"{estimate.activations / _GB:.2f} GB for the backward pass; disk: {estimate.disk / _GB:.2f} GB",
        highlight=False,
    )


def evaluate_lora(
    dataset: Dataset,
    name: Annotated[str, typer.Option(help="Name of the adapter in the folder of adapters.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the page and its sounds.")],
    model: Model = "riffusion-model-v1",
    models_dir: ModelsDir = default_models_dir(),  # noqa: B008
    adapters_dir: AdaptersDir = None,
    device: DeviceName = "auto",
    pairs: Annotated[int, typer.Option(min=1, help="Pieces, each made without and with it.")] = 14,
    weight: Annotated[float, typer.Option(min=-2, max=2, help="Weight of the adapter.")] = 1.0,
    denoising_strength: Annotated[float, typer.Option(min=0.05, max=1)] = 0.5,
    guidance_scale: Annotated[float, typer.Option(min=0, max=20)] = 7.0,
    denoising_steps: Annotated[int, typer.Option(min=1, max=150)] = 30,
    threads: Threads = 2,
) -> None:
    """Compare music without and with an adapter: distance to the data set, emotions, seams, repeats."""
    with told():
        import torch

        from etbgm_riffusion.composer.engine import ComposerEngine
        from etbgm_riffusion.dataset.folder import DatasetFolder
        from etbgm_riffusion.diffusion import pipeline
        from etbgm_riffusion.diffusion.adapters import files_in
        from etbgm_riffusion.diffusion.engine import commit_of
        from etbgm_riffusion.training.evaluate import Evaluator
        from etbgm_riffusion.types import DiffusionSettings

        torch.set_num_threads(threads)
        folder = adapters_dir or models_dir / "adapters"
        if name not in (files := files_in(folder)):
            raise ValueError(f"{folder} has no adapter named {name}")
        where = model_at(models_dir, model)
        loaded = pipeline.load(where, device, commit_of(where))
        composer = ComposerEngine(None)
        composer.load()
        settings = DiffusionSettings(denoising_strength, guidance_scale, denoising_steps)
        evaluator = Evaluator(loaded, composer, DatasetFolder(dataset))
        with progress_bar() as progress:
            task = progress.add_task("evaluating", total=pairs)
            found = evaluator.evaluate(
                (name, files[name]), weight, pairs, settings, out,
                lambda done: progress.update(task, completed=done),
            )  # fmt: skip
        before, after = found.without, found.with_adapter
        facts = {"distance of MFCCs": f"{before.mfcc_distance:.1f} → {after.mfcc_distance:.1f}"}
        facts["distance of spectra, dB"] = (
            f"{before.spectral_distance_db:.2f} → {after.spectral_distance_db:.2f}"
        )
        facts["worst seam"] = f"{before.worst_seam:.2f} → {after.worst_seam:.2f}"
        facts["worst repetition"] = f"{before.worst_repetition:.2f} → {after.worst_repetition:.2f}"
        print_facts(f"{name}: without → with it", {**facts, "listen": out / "index.html"})


def model_at(models_dir: Path, model: str) -> Path | str:
    """Returns the folder of a model, or its id on the hub. Raises ValueError for anything else."""
    folder = locate(models_dir, model)
    if folder is None and not is_hub_id(model):
        raise ValueError(f"{model} is neither an installed model nor a folder: etbgm models pull {model}")
    return folder or model
