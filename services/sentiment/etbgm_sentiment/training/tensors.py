"""What the encoder is given, and its precision."""

from collections.abc import Sequence

import torch
from torch import Tensor

from etbgm_sentiment.tokens import pad


def tensors(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Padded token numbers and their mask, int64 (rows, longest)."""
    numbers, mask = pad(ids)
    return torch.from_numpy(numbers), torch.from_numpy(mask)


def half_precision() -> torch.autocast:
    """bf16 where the CPU has wide vectors; with AVX2 alone it is emulated, at a fifteenth of the speed."""
    return torch.autocast("cpu", torch.bfloat16, enabled="AVX512" in torch.backends.cpu.get_cpu_capability())
