"""A classifier's folder: `etbgm-sentiment export` writes it, the server reads it.

model.onnx      input_ids and attention_mask, int64 (batch, length), to probabilities,
float32 (batch, 7) in the order of Emotion, rows summing to 1
tokenizer.json  of the library tokenizers
model.json      ModelFacts
parity.json     how close the graph is to the model that it was made from
"""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etbgm_kit.types import Emotion

GRAPH, TOKENIZER, FACTS, PARITY = "model.onnx", "tokenizer.json", "model.json", "parity.json"

NEEDED = (GRAPH, TOKENIZER, FACTS)
"""What the server cannot do without."""


class Precision(StrEnum):
    """How the graph computes.

    INT8: weights of 8 bits, in blocks of 32 with a scale each; what they are multiplied
    with is rounded in the same way, block by block of each token, so a phrase's
    neighbours in a batch never move its result.
    """

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


class ModelFacts(BaseModel):
    """What the server must know of a model; all fields are in model.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    """Of the weights, in results and in the catalogue, which knows best about licences."""
    source: str
    """Where the weights come from: a hub id, a URL, words."""
    revision: str
    """Of the source, as it counts them; "" when it does not."""
    licence: str
    """An SPDX identifier, a name, or "unknown"."""
    languages: tuple[str, ...]
    """BCP-47 tags of the languages that it reads; () when it reads any."""
    max_length: int = Field(ge=2)
    """Tokens of a text, those at its begin and end included; the rest is cut off."""
    pad_id: int = Field(ge=0)
    """The token that fills the rows of a batch up."""
    precision: Precision
    labels: dict[str, Emotion]
    """The source's labels in its order, and the emotion that each was taken for."""


def read_facts(folder: Path) -> ModelFacts:
    """What `folder` says of its model.

    Raises:
        ValueError: model.json is not as it should be; the message names the field.
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
