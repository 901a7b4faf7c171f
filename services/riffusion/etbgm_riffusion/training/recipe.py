"""The settings of a training run."""

from dataclasses import asdict, dataclass

from etbgm_kit.types import Emotion
from etbgm_riffusion.choice import Precision

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
"""The projections of all attention layers, the usual targets (Hu et al. 2021; Ryu 2023 for diffusion)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an adapter is trained. All steps are optimiser steps, of `batch` × `accumulation` clips.

    Everything random depends on `random_seed` and the number of the step alone, so a run that is
    interrupted continues as it would have done.
    """

    steps: int = 1000
    batch: int = 4
    accumulation: int = 1
    rank: int = 16
    targets: tuple[str, ...] = ATTENTION
    """Ends of the names of the UNet's layers that are adapted."""
    learning_rate: float = 1e-4
    warm_up: int = 50
    """Steps over which the learning rate rises; it is constant afterwards."""
    weight_decay: float = 1e-2
    largest_gradient: float = 1.0
    """Norm to which gradients are clipped."""
    min_snr: float = 5.0
    """Gamma of min-SNR weighting (Hang et al. 2023); 0 weights all timesteps alike."""
    caption_dropout: float = 0.1
    """Share of clips that are shown without a caption, so that guidance works (Ho & Salimans 2022)."""
    prior_weight: float = 0.0
    """Weight of prior preservation: on clips of a second data set, the adapted model should predict what
    the model predicts without the adapter. 0 turns it off."""
    ema: float = 0.99
    """Decay of the moving average of the weights, which is what is checked, sampled and exported; 0: none."""
    checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, a third more time."""
    precision: Precision = "auto"
    """Numbers that the frozen weights have; `auto`: bf16 or fp16 on CUDA, fp32 on the CPU. The adapter's
    are always fp32."""
    check_every: int = 100
    """Steps between two checks on held-out clips, each of which also saves the state."""
    patience: int = 10
    """Checks without a lower loss after which training stops; 0: never."""
    sample_every: int = 500
    """Steps between samples; 0: none."""
    sample_emotions: tuple[Emotion, ...] = tuple(Emotion)
    random_seed: int = 1

    def identity(self) -> dict[str, object]:
        """Returns the settings that a run must keep when it continues: all but its length and its reports."""
        free = {"steps", "patience", "sample_every", "sample_emotions"}
        return {name: value for name, value in asdict(self).items() if name not in free}
