"""On the CPU a row's bits do not depend on its neighbours in the batch.

oneDNN chooses its kernels by the number of rows, and other kernels add in another order.
Measured with torch 2.13 and one to four threads: convolutions of one row differ from those of
more, odd numbers of rows are split otherwise over threads, and matrix products change with few
rows. So batches have even numbers of rows up to MOST; the few products whose rows are the
batch's, those of the timestep, are filled up to LEAST; prompts are embedded and images coded
one at a time, which costs nothing there. Another build of oneDNN may choose otherwise.
On CUDA nothing is changed: there results agree within float tolerance.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

MOST = 12
"""Rows up to which that is so: 1 × 1 convolutions of 16 rows are computed by another kernel."""

LEAST = 16
"""Rows of those products, whatever the batch's."""


def steady_batches(device: torch.device, *batch: Tensor) -> list[tuple[Tensor, ...]]:
    """`batch`, parts of (n, ...) each, cut into batches of even numbers of rows, with zeros at the end."""
    if device.type != "cpu":
        return [batch]
    count = len(batch[0])
    return list(zip(*(_filled(rows, count + count % 2).split(MOST) for rows in batch), strict=True))


def steadily(code: Callable[[Tensor], Tensor], rows: Tensor, device: torch.device) -> Tensor:
    """`code` of `rows`, on the CPU of one row after the other."""
    return torch.cat([code(row) for row in rows.split(1)]) if device.type == "cpu" else code(rows)


def steady(part: torch.nn.Module, device: torch.device) -> None:
    """Makes the products in `part` whose rows are the batch's be computed with `LEAST` rows or more."""
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
