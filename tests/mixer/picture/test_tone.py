"""The same light reads the same in high dynamic range."""

import numpy as np
import pytest

from etbgm_mixer.picture.tone import HLG, PQ, as_standard

GREY = 16 + 219 * 0.18 ** (1 / 2.4)
"""Luma of a grey card in standard range."""

SIGNALS = {PQ: 0.411, HLG: 0.436}
"""The same card's signal, lit so that white has 203 cd/m²: 36.5 cd/m²."""


@pytest.mark.parametrize("transfer", SIGNALS)
def test_a_grey_card_is_grey(transfer: int) -> None:
    card = np.full((36, 64, 3), 128, np.uint8)
    card[..., 0] = round(16 + 219 * SIGNALS[transfer])
    mapped = as_standard(card, transfer).reshape(-1, 3).mean(0)
    assert mapped == pytest.approx([GREY, 128, 128], abs=4)
