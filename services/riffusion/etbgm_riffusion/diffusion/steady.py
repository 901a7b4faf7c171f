"""On the CPU a row's bits do not depend on its neighbours in the batch.

oneDNN chooses its kernels by the number of rows, and other kernels add in another order.
Measured with torch 2.13, one to four threads, up to 12 rows: convolutions of one row differ
from those of more, odd numbers of rows are split otherwise over threads, and matrix products
change with few rows. So batches are filled up to an even number of rows, and the few products
whose rows are the batch's (those of the timestep) to 16; prompts are embedded and images coded one
at a time, which costs nothing there.
On CUDA nothing is changed: there results agree within float tolerance.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

LEAST = 16
"""Rows of those products, whatever the batch's."""


def steady_rows(rows: Tensor, device: torch.device) -> Tensor:
    """`rows` (n, ...), and a row of zeros behind them when that is needed."""
    return _filled(rows, len(rows) + len(rows) % 2) if device.type == "cpu" else rows


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
