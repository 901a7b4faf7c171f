"""Makes a row's bits on the CPU independent of the other rows in its batch.

oneDNN selects its kernels by the number of rows, and different kernels add in a different order. Measured
with torch 2.13 and one to four threads: convolutions of one row differ from those of more, odd numbers of
rows are split differently across threads, and matrix products change with few rows. So batches have even
numbers of rows up to MOST; the few products whose rows are the batch's, those of the timestep, are padded
to LEAST; prompts are embedded and images coded one at a time, which costs nothing there. Another build of
oneDNN may select differently. Nothing changes on CUDA: results there agree within float tolerance.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

MOST = 12
"""Maximum rows for which this holds: another kernel computes 1 × 1 convolutions of 16 rows."""

LEAST = 16
"""Minimum rows of those products, whatever the batch size."""


def steady_batches(device: torch.device, *batch: Tensor) -> list[tuple[Tensor, ...]]:
    """Splits `batch`, parts of (n, ...) each, into batches of even numbers of rows, zero-padded."""
    if device.type != "cpu":
        return [batch]
    count = len(batch[0])
    return list(zip(*(_filled(rows, count + count % 2).split(MOST) for rows in batch), strict=True))


def steadily(code: Callable[[Tensor], Tensor], rows: Tensor, device: torch.device) -> Tensor:
    """Applies `code` to `rows`; on the CPU, to one row at a time."""
    return torch.cat([code(row) for row in rows.split(1)]) if device.type == "cpu" else code(rows)


def steady(part: torch.nn.Module, device: torch.device) -> None:
    """Pads the products in `part` whose rows are the batch's to `LEAST` rows or more, on the CPU."""
    if device.type == "cpu":
        for module in part.modules():
            if isinstance(module, torch.nn.Linear):
                _fill_up(module)


def _fill_up(product: torch.nn.Linear) -> None:
    forward = product.forward

    def filled(rows: Tensor) -> Tensor:
        if rows.dim() != 2 or len(rows) >= LEAST:
            return forward(rows)
        return forward(_filled(rows, LEAST))[: len(rows)]

    product.forward = filled


def _filled(rows: Tensor, count: int) -> Tensor:
    return pad(rows, [0, 0] * (rows.dim() - 1) + [0, count - len(rows)]) if count > len(rows) else rows
