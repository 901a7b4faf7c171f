"""Runs a classifier's folder with onnxruntime on the CPU or on CUDA."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.models.catalogue import find
from etbgm_kit.models.cuda import Device
from etbgm_kit.models.folders import loading, require
from etbgm_kit.models.onnx import open_session
from etbgm_kit.types import EngineInfo, Ingredient
from etbgm_sentiment.batcher import Batcher, Ids, Limits
from etbgm_sentiment.model_folder import GRAPH, NEEDED, TOKENIZER, ModelFacts, read_facts
from etbgm_sentiment.tokens import load_tokenizer, pad, tokenise
from etbgm_sentiment.types import Probabilities

MODEL_FOLDER = Path(__file__).parent / "models" / "e5-goemotions"
"""The classifier in this package."""

BATCHES: dict[Device, Limits] = {"cpu": Limits(512, 0.15), "cuda": Limits(16384, 0.5)}
"""Limits of the batch for one run of the graph.

On a CPU, a run adds little overhead and padding costs as much as text, so batches are small
and even (`python -m tests.sentiment.bench`). On CUDA, the opposite holds.
"""


class OnnxClassifier:
    """Runs a model folder; thread-safe, and the texts of all threads share batches.

    Raises BrokenModel if the folder is incomplete or the device does not accept the model.
    """

    def __init__(self, folder: Path = MODEL_FOLDER, threads: int = 2, device: Device = "cpu") -> None:
        require(folder, NEEDED)
        with loading(folder):
            facts = read_facts(folder)
            self._tokenizer = load_tokenizer(folder / TOKENIZER, facts.max_length)
            tokens = self._tokenizer.get_vocab_size()
            if tokens > (facts.tokens or tokens):
                raise ValueError(f"{TOKENIZER} has {tokens} tokens, the graph {facts.tokens}")
            self._session = open_session(folder / GRAPH, threads, device)
            self._pad_id, self._languages = facts.pad_id, facts.languages
            self._batcher = Batcher(self._run, BATCHES[device])
            self._warm_up()
        name = "e5" if folder == MODEL_FOLDER else "transformers"
        where = "cuda:0" if device == "cuda" else "cpu"
        revision = revision_of(__name__, facts=(_digest(folder), where))
        self._info = EngineInfo(name, revision, where, (_ingredient(facts),))

    @property
    def info(self) -> EngineInfo:
        """The engine; its revision covers files and device, because devices differ slightly in results."""
        return self._info

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in model.json."""
        return self._languages

    def classify(self, texts: Sequence[str]) -> Probabilities:
        """See Classifier. Texts of all calls in flight are computed together, sorted by length."""
        return self._batcher.classify(tokenise(self._tokenizer, texts))

    def _run(self, ids: Sequence[Ids]) -> Probabilities:
        """Runs one batch, (n, 7); I/O binding moves inputs to the device and the result back."""
        binding = self._session.io_binding()
        for name, numbers in zip(("input_ids", "attention_mask"), pad(ids, self._pad_id), strict=True):
            binding.bind_cpu_input(name, numbers)
        binding.bind_output("probabilities", "cpu")
        self._session.run_with_iobinding(binding)
        (rows,) = binding.copy_outputs_to_cpu()
        probabilities: Probabilities = rows
        return probabilities

    def _warm_up(self) -> None:
        """Does the first run, which takes longest and shows whether graph and tokenizer match."""
        rows = self.classify(["warm up", "a longer text to warm up with"])
        if not np.allclose(rows.sum(1), 1, atol=1e-2):
            raise ValueError("what the graph gives are no probabilities")


def _ingredient(facts: ModelFacts) -> Ingredient:
    """Returns the catalogue's entry for the weights, or else the facts given at export."""
    entry = find(facts.name)
    return entry.ingredient() if entry else Ingredient(facts.name, facts.source, facts.licence, None)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in NEEDED:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
