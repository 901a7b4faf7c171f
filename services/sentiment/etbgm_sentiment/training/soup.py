"""Averages models that were trained apart from the same start, which generalise better than each alone.

Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy without
increasing inference time", ICML 2022.
"""

from collections.abc import Sequence
from pathlib import Path

from etbgm_kit.models.folders import BrokenModel
from etbgm_sentiment.training.model import load_model, save_model
from etbgm_sentiment.training.train import LOG


def average(folders: Sequence[Path], out: Path) -> None:
    """Writes the mean of the models in `folders`, and their logs one after the other, to `out`.

    Raises:
        BrokenModel: the folders' models differ in shape or vocabulary.
        OSError: a file is missing.
    """
    model, tokenizer = load_model(folders[0])
    mean = {name: weights / len(folders) for name, weights in model.state_dict().items()}
    for folder in folders[1:]:
        other, its_tokenizer = load_model(folder)
        weights = other.state_dict()
        alike = {name: each.shape for name, each in mean.items()} == {
            name: each.shape for name, each in weights.items()
        }
        if not alike or its_tokenizer.get_vocab() != tokenizer.get_vocab():
            raise BrokenModel(folder, f"it is not of the same start as {folders[0]}")
        for name, each in weights.items():
            mean[name] += each / len(folders)
    model.load_state_dict(mean)
    out.mkdir(parents=True, exist_ok=True)
    save_model(model, tokenizer, out)
    (out / LOG).write_text("".join((folder / LOG).read_text() for folder in folders))
