"""Compares an exported graph with its model."""

from dataclasses import dataclass

import numpy as np

from etbgm_sentiment.types import Probabilities

SENTENCES = (
    "I am so happy that you came!",
    "Thank you, this is the best present I ever got.",
    "How dare you talk to me like that?",
    "I am sick of being lied to.",
    "This food is rotten, it makes me want to throw up.",
    "What a filthy, revolting place.",
    "I am scared to go down there alone.",
    "Something moved behind the door, and we ran.",
    "She died last spring, and I miss her every day.",
    "Nobody came to say goodbye.",
    "Wow, I did not see that coming!",
    "You are his brother? I had no idea.",
    "The train leaves at nine from platform two.",
    "First, mix the flour with a little water.",
    "yes",
    "",
    "and then he said that she said that they had never been there at all " * 60,
)
"""Two for each emotion, a single word, an empty text, and one that is longer than any model accepts."""


@dataclass(frozen=True)
class Parity:
    """Graph compared with model: share of sentences with the same emotion, differences of probabilities."""

    sentences: int
    same_emotion: float
    mean_difference: float
    largest_difference: float


def compare(graph: Probabilities, reference: Probabilities) -> Parity:
    """Compares two arrays (n, 7) for the same sentences."""
    difference = np.abs(graph - reference)
    same = float((graph.argmax(1) == reference.argmax(1)).mean())
    return Parity(len(reference), same, float(difference.mean()), float(difference.max()))
