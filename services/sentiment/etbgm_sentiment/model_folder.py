"""A classifier's folder: `etbgm-sentiment export` writes it, the server reads it.

model.onnx      input_ids and attention_mask, int64 (batch, length), to probabilities,
float32 (batch, 7) in the order of Emotion; each row sums to 1
tokenizer.json  for the library tokenizers
model.json      ModelFacts
parity.json     comparison of the graph with the original model
"""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etbgm_kit.types import Emotion

GRAPH, TOKENIZER, FACTS, PARITY = "model.onnx", "tokenizer.json", "model.json", "parity.json"

NEEDED = (GRAPH, TOKENIZER, FACTS)
"""Files that the server requires."""


class Precision(StrEnum):
    """The precision of the graph.

    INT8 stores 8-bit weights in blocks of 32 with one scale each and computes in float32, so a
    phrase's neighbours in a batch do not change its result.
    """

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


class ModelFacts(BaseModel):
    """The facts about a model that the server needs; all fields are in model.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    """Name of the weights in results and in the catalogue, which takes precedence for licences."""
    source: str
    """Origin of the weights: a hub id, a URL or a description."""
    revision: str
    """Revision of the source, in its own numbering; "" if it has none."""
    licence: str
    """An SPDX identifier, a name, or "unknown"."""
    languages: tuple[str, ...]
    """BCP-47 tags of the supported languages; () if it supports any."""
    max_length: int = Field(ge=2)
    """Maximum tokens of a text, including those at its start and end; the rest is cut off."""
    pad_id: int = Field(ge=0)
    """The token that pads the rows of a batch."""
    tokens: int | None = Field(default=None, ge=1)
    """How many tokens the graph knows; onnxruntime reads tables of 4 bits beyond their end without a word.
    None in folders of earlier releases."""
    precision: Precision
    labels: dict[str, Emotion]
    """The source's labels in their original order, and the emotion assigned to each."""


def read_facts(folder: Path) -> ModelFacts:
    """Reads the facts of the model in `folder`.

    Raises:
        ValueError: model.json is invalid; the message names the field.
    """
    try:
        return ModelFacts.model_validate_json((folder / FACTS).read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{FACTS}: {where + ': ' if where else ''}{first['msg']}") from error


def write_facts(folder: Path, facts: ModelFacts) -> None:
    """Writes model.json."""
    (folder / FACTS).write_text(facts.model_dump_json(indent=2) + "\n")
