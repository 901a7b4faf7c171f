"""Fine-tuning on a CPU: short batches by length, one learning rate for the encoder and one for the head."""

import itertools
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from etbgm_kit.types import Emotion
from etbgm_sentiment.goemotions import Row, single_label
from etbgm_sentiment.metrics import score
from etbgm_sentiment.spoken import without_punctuation
from etbgm_sentiment.tokens import tokenise
from etbgm_sentiment.training.batches import Batch, batches, class_weights, targets, tensors
from etbgm_sentiment.training.checkpoint import Checkpoint
from etbgm_sentiment.training.model import EmotionModel, save_model

LOG = "training.jsonl"

CHECKPOINT_STEPS = 100
"""Steps between two checkpoints: about 2 minutes on 2 cores."""

Logits = npt.NDArray[np.float32]
Scored = dict[str, float]


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    epochs: int = 1
    batch_rows: int = 32
    learning_rate: float = 1.2e-4
    head_factor: float = 16.0
    """How much faster the head learns than the encoder."""
    weight_decay: float = 0.01
    warm_up_share: float = 0.05
    label_smoothing: float = 0.05
    spoken_share: float = 0.25
    """Share of the rows shown as recognised speech."""
    taught_share: float = 0.0
    """Weight of the teacher's probabilities in the target; the labels have the rest."""
    random_seed: int = 2
    checks_per_epoch: int = 2


def train(
    model: EmotionModel,
    tokenizer: Tokenizer,
    languages: Sequence[list[Row]],
    recipe: Recipe,
    checks: dict[str, list[Row]],
    out: Path,
    earlier_log: str = "",
    taught: Tensor | None = None,
) -> None:
    """Trains `model` in place on the rows of all languages; writes the model and training.jsonl to `out`.

    `checks` are named row sets that are scored `checks_per_epoch` times, as written and without
    punctuation, for the log alone: the last weights are kept. The weights are saved before each check.
    The log starts with `earlier_log`. `taught` are a teacher's probabilities, (n, 7), in the order of the
    rows. An interrupted run goes on from its last checkpoint in `out`, and ends as it would have done.
    """
    torch.manual_seed(recipe.random_seed)
    count = sum(len(rows) for rows in languages)
    steps = recipe.epochs * -(-count // recipe.batch_rows)
    check_every = max(1, steps // (recipe.epochs * recipe.checks_per_epoch))
    optimizer = _optimizer(model, recipe)
    schedule = LambdaLR(optimizer, lambda step: _rate(step / steps, recipe.warm_up_share))
    start = {"recipe": asdict(recipe), "rows": count, "steps": steps}
    checkpoint = Checkpoint(out, start, model, optimizer, schedule)
    done, losses = checkpoint.restore()
    log = TrainingLog(out / LOG, (out / LOG).read_text() if done else earlier_log)
    log.write(event="continue" if done else "start", step=done, **start)
    all_batches = _all_batches(languages, tokenizer, recipe, taught)
    for step, batch in enumerate(itertools.islice(all_batches, done, None), start=done + 1):
        losses.append(_step(model, batch, optimizer))
        schedule.step()
        if step % check_every == 0 or step == steps:
            save_model(model, tokenizer, out)
            scores = _check(model, tokenizer, checks)
            log.write(event="check", step=step, loss=float(np.mean(losses)), **scores)
            losses.clear()
        if step % CHECKPOINT_STEPS == 0:
            checkpoint.save(step, losses)
    checkpoint.remove()


class TrainingLog:
    """JSON lines with the seconds since the start, after those of earlier runs."""

    def __init__(self, path: Path, earlier: str) -> None:
        self._path = path
        path.write_text(earlier)
        self._start = time.monotonic()

    def write(self, **fields: object) -> None:
        """Appends one line."""
        record = {"seconds": round(time.monotonic() - self._start, 1), **fields}
        with self._path.open("a") as lines:
            lines.write(json.dumps(record) + "\n")


def logits(model: EmotionModel, tokenizer: Tokenizer, texts: Sequence[str], batch_rows: int = 64) -> Logits:
    """The model's logits, (n, 7), in the order of `texts`."""
    model.eval()
    ids = tokenise(tokenizer, texts)
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    result = np.zeros((len(ids), len(Emotion)), np.float32)
    with torch.inference_mode(), _half_precision():
        for start in range(0, len(order), batch_rows):
            chosen = order[start : start + batch_rows]
            result[chosen] = model(*tensors([ids[i] for i in chosen])).float().numpy()
    return result


def _all_batches(
    languages: Sequence[list[Row]], tokenizer: Tokenizer, recipe: Recipe, taught: Tensor | None
) -> Iterator[Batch]:
    """Yields all epochs; the target of a row is its labels, smoothed and weighted towards rare emotions.

    A teacher's probabilities are not weighted: the teacher learnt them from weighted labels.
    """
    rng = random.Random(recipe.random_seed)
    labels = targets([row for rows in languages for row in rows])
    smooth = recipe.label_smoothing
    wanted = (labels * (1 - smooth) + smooth / len(Emotion)) * class_weights(labels)
    if taught is not None:
        wanted = wanted.lerp(taught, recipe.taught_share)
    for _ in range(recipe.epochs):
        yield from batches(languages, wanted, tokenizer, recipe.batch_rows, recipe.spoken_share, rng)


def _step(model: EmotionModel, batch: Batch, optimizer: AdamW) -> float:
    ids, mask, wanted = batch
    model.train()
    with _half_precision():
        output = model(ids, mask)
    loss = -(wanted * output.float().log_softmax(1)).sum(1).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())


def _check(model: EmotionModel, tokenizer: Tokenizer, checks: dict[str, list[Row]]) -> dict[str, Scored]:
    scores = {}
    for name, rows in checks.items():
        agreed = single_label(rows)
        truth = targets(agreed).argmax(1).numpy()
        texts = [row.text for row in agreed]
        plain = [without_punctuation(text) for text in texts]
        scores[name] = _scored(logits(model, tokenizer, texts), truth)
        scores[f"{name}_unpunctuated"] = _scored(logits(model, tokenizer, plain), truth)
    return scores


def _scored(raw: Logits, truth: npt.NDArray[np.intp]) -> Scored:
    scores = score(truth, raw.argmax(1))
    neutral = scores.recall[Emotion.NEUTRAL]
    return {"macro_f1": scores.macro_f1, "accuracy": scores.accuracy, "neutral_recall": neutral}


def _optimizer(model: EmotionModel, recipe: Recipe) -> AdamW:
    groups = []
    for part, factor in ((model.encoder, 1.0), (model.head, recipe.head_factor)):
        rate = recipe.learning_rate * factor
        trained = [parameter for parameter in part.parameters() if parameter.requires_grad]
        matrices = [parameter for parameter in trained if parameter.ndim > 1]
        vectors = [parameter for parameter in trained if parameter.ndim == 1]
        groups.append({"params": matrices, "lr": rate, "weight_decay": recipe.weight_decay})
        groups.append({"params": vectors, "lr": rate, "weight_decay": 0.0})
    return AdamW(groups, fused=True)


def _half_precision() -> torch.autocast:
    """bf16 where the CPU has wide vectors; with AVX2 alone it is emulated, at a fifteenth of the speed."""
    return torch.autocast("cpu", torch.bfloat16, enabled="AVX512" in torch.backends.cpu.get_cpu_capability())


def _rate(progress: float, warm_up_share: float) -> float:
    """Rises linearly to 1, then falls linearly to 0."""
    if progress < warm_up_share:
        return progress / warm_up_share
    return max(0.0, (1 - progress) / (1 - warm_up_share))
