"""`etbgm-riffusion`: makes data sets, trains adapters (LoRA) on them and evaluates them."""

import typer

from etbgm_riffusion.dataset import app as dataset
from etbgm_riffusion.training.app import evaluate_lora, train_lora

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(dataset.app, name="dataset")
app.command("train-lora")(train_lora)
app.command("evaluate-lora")(evaluate_lora)


@app.callback()
def root() -> None:
    """Make data sets of your own music, train adapters (LoRA) for Riffusion, and evaluate them."""


def main() -> None:
    """Runs the `etbgm-riffusion` command."""
    app()


if __name__ == "__main__":
    main()
