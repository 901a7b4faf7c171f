"""Trains the tiny Whisper that lies in tiny-whisper/, on words that flite speaks.

usage: python -m tests.stt.full.train_tiny_whisper FOLDER   (writes FOLDER/transformers and its log)

Two layers, 64 numbers wide, with Whisper's own input (80 mels, 30 s), order of special
tokens and limits, so that nothing of faster-whisper is changed for it. The decoder's
second layer is taught where each word lies, since times are read from its attention.
"""

import copy
import json
import logging
import sys
import time
from pathlib import Path

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import WhisperConfig, WhisperForConditionalGeneration

from .spoken import ENGLISH, SAID_AS, VOICES, Spoken, join, say

FRAMES = 3000
"""Of 10 ms: Whisper's 30 s."""

SHORT_FRAMES = 480
"""The first steps hear 4.8 s, since what they must learn does not depend on the rest."""

FRAMES_PER_S = 50
"""Of the encoder's output."""

ROUNDS = ((60, 5e-4), (120, 6e-4), (110, 4e-4))
"""Steps and highest learning rate on 30 s; the first learns that most of it is empty."""

logger = logging.getLogger(__name__)


def make_tokenizer() -> Tokenizer:
    """A byte-level BPE in which each word is one token; special tokens in Whisper's order."""
    words = [f" {word}" for vocabulary in SAID_AS.values() for word in vocabulary]
    trained = _byte_level(models.BPE())
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trained.train_from_iterator(
        words * 9, trainers.BpeTrainer(vocab_size=1000, initial_alphabet=alphabet, show_progress=False)
    )
    parts = json.loads(trained.to_str())["model"]
    # CTranslate2 takes a model for multilingual when its vocabulary has the empty token.
    vocabulary = {**parts["vocab"], "": len(parts["vocab"])}
    tokenizer = _byte_level(models.BPE(vocabulary, [tuple(merge) for merge in parts["merges"]]))
    assert all(len(tokenizer.encode(word).ids) == 1 for word in words)
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    special = ["endoftext", "startoftranscript", *_LANGUAGE_CODES, *tasks]
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in special])
    return tokenizer


def _byte_level(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


class Speaker:
    """Sequences of words of one language, never the same."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._said = {
            (language, word): [
                say(language, word, voice, stretch, pitch)
                for voice in VOICES
                for stretch in (0.8, 0.95, 1.1, 1.3)
                for pitch in (0.9, 1.1)
            ]
            for language, vocabulary in SAID_AS.items()
            for word in vocabulary
        }

    def speak(self, language: str, most_s: float) -> Spoken:
        """One to six different words in at most `most_s`, with noise."""
        random = self._random
        words = random.permutation(list(SAID_AS[language]))[: random.integers(1, 7)]
        voice = random.integers(len(VOICES))
        said = [(str(word), self._one(language, str(word), voice)) for word in words]
        longest_s = random.choice([0.3, 0.7, 1.6])
        while True:
            pauses_s = random.uniform(0.05, longest_s, len(said) + 1)
            spoken = join(said, list(pauses_s))
            if len(spoken.samples) <= most_s * 16000:
                break
            said, longest_s = said[: max(1, len(said) - 1)], max(0.3, longest_s * 0.7)
        loud = spoken.samples * random.uniform(0.3, 1.2)
        noise = random.normal(0, 10 ** random.uniform(-4.5, -2.0), len(loud))
        return Spoken((loud + noise).astype(np.float32), spoken.words)

    def _one(self, language: str, word: str, voice: int) -> np.ndarray:
        renderings = self._said[language, word]
        each = len(renderings) // len(VOICES)
        samples = renderings[voice * each + self._random.integers(each)]
        length = round(len(samples) * self._random.uniform(0.93, 1.07))
        return np.interp(np.linspace(0, len(samples) - 1, length), np.arange(len(samples)), samples)


class Lessons:
    """Batches of features, tokens and where the words are."""

    def __init__(self, tokenizer: Tokenizer, speaker: Speaker, random: np.random.Generator) -> None:
        self._tokenizer, self._speaker, self._random = tokenizer, speaker, random
        self._extract = FeatureExtractor()

    def batch(self, size: int, frames: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(B, 80, frames) features, (B, T) tokens and labels, (B, T, frames / 2) wanted attention.

        -100 in the labels and zeros in the attention are not taught.
        """
        features = np.zeros((size, 80, frames), np.float32)
        tokens = np.full((size, 12), self._id("endoftext"))
        labels = np.full((size, 12), -100)
        attention = np.zeros((size, 12, frames // 2), np.float32)
        for row in range(size):
            language = str(self._random.choice(["en", "de"]))
            spoken = self._speaker.speak(language, frames / 100 - 0.05)
            mels = self._extract(spoken.samples)[..., :-1][..., :frames]
            features[row, :, : mels.shape[1]] = mels
            sequence = self._sequence(language, [word for word, _, _ in spoken.words])
            tokens[row, : len(sequence) - 1] = sequence[:-1]
            labels[row, : len(sequence) - 1] = sequence[1:]
            labels[row, 1:3] = -100
            spans = [(start, end) for _, start, end in spoken.words]
            spans.append((spans[-1][1] + 0.02, spans[-1][1] + 0.3))
            for number, (start_s, end_s) in enumerate(spans):
                first, last = round(start_s * FRAMES_PER_S), round(end_s * FRAMES_PER_S)
                attention[row, 3 + number, first : max(first + 1, last)] = 1
        attention /= np.maximum(1, attention.sum(-1, keepdims=True))
        return tuple(torch.from_numpy(array) for array in (features, tokens, labels, attention))  # type: ignore[return-value]

    def _sequence(self, language: str, words: list[str]) -> list[int]:
        translate = language == "de" and self._random.random() < 0.5
        task = "translate" if translate else "transcribe"
        text = [ENGLISH[word] if translate else word for word in words]
        prompt = [self._id(name) for name in ("startoftranscript", language, task, "notimestamps")]
        return [*prompt, *(self._tokenizer.encode(f" {word}").ids[0] for word in text), self._id("endoftext")]

    def _id(self, name: str) -> int:
        found = self._tokenizer.token_to_id(f"<|{name}|>")
        assert found is not None
        return found


def make_model(tokenizer: Tokenizer, frames: int) -> WhisperForConditionalGeneration:
    """Untrained; its encoder hears `frames`."""
    end = tokenizer.token_to_id("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size() + 1501, num_mel_bins=80, max_source_positions=frames // 2,
        d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=256, decoder_ffn_dim=128, init_std=0.08,
        pad_token_id=end, bos_token_id=end, eos_token_id=end,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
    )  # fmt: skip
    # The decoder's attention is taught, so it must be seen; the encoder's is quicker unseen.
    config._attn_implementation = "eager"
    model = WhisperForConditionalGeneration(config)
    unseen = copy.deepcopy(config)
    unseen._attn_implementation = "sdpa"
    for layer in model.model.encoder.layers:
        layer.self_attn.config = unseen
    return model


def teach(
    model: WhisperForConditionalGeneration, lessons: Lessons, steps: int, size: int, rate: float
) -> None:
    """One cycle of a learning rate that rises to `rate` and falls to nothing."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    frames = 2 * model.config.max_source_positions
    begun_s = time.monotonic()
    for step in range(1, steps + 1):
        features, tokens, labels, wanted = lessons.batch(size, frames)
        output = model(
            input_features=features, decoder_input_ids=tokens, output_attentions=True, use_cache=False
        )
        words = torch.nn.functional.cross_entropy(output.logits.transpose(1, 2), labels, ignore_index=-100)
        places = _misplaced(output.cross_attentions, wanted)
        loss = words + 0.2 * places
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            known = labels != -100
            right = (output.logits.argmax(-1) == labels)[known].float().mean().item()
            seconds = time.monotonic() - begun_s
            logger.info(
                "%d frames, step %d: words %.4f, places %.3f, right %.3f, %.0f s",
                frames, step, words.item(), places.item(), right, seconds,
            )  # fmt: skip


def _misplaced(cross_attentions: tuple[Tensor, ...], wanted: Tensor) -> Tensor:
    # The last layer looks at the word that comes, by the mean of all its heads, as faster-whisper
    # does. Half of the first layer looks at the word that was, from where the next is easily found.
    before = torch.nn.functional.pad(wanted, (0, 0, 1, 0))[:, :-1] * wanted.sum(-1, keepdim=True)
    coming, was = cross_attentions[-1].mean(1), cross_attentions[0][:, :2].mean(1)
    return _cross_entropy(wanted, coming) + _cross_entropy(before, was)


def _cross_entropy(wanted: Tensor, recognised: Tensor) -> Tensor:
    return -(wanted * recognised.clamp_min(1e-6).log()).sum() / wanted.sum()


def save(model: WhisperForConditionalGeneration, tokenizer: Tokenizer, folder: Path) -> None:
    """Everything that a converter and faster-whisper look for."""
    ids = {f"<|{name}|>": tokenizer.token_to_id(f"<|{name}|>") for name in _LANGUAGE_CODES}
    generation = model.generation_config
    # Or transformers would make it anew from the model's config, without what follows.
    generation._from_model_config = False
    generation.lang_to_id = ids
    generation.task_to_id = {
        task: tokenizer.token_to_id(f"<|{task}|>") for task in ("transcribe", "translate")
    }
    generation.alignment_heads = [[1, head] for head in range(4)]
    generation.no_timestamps_token_id = tokenizer.token_to_id("<|notimestamps|>")
    generation.suppress_tokens = []
    generation.begin_suppress_tokens = [tokenizer.token_to_id("<|endoftext|>")]
    generation.is_multilingual = True
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    wrapper = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(wrapper))
    features = {
        "feature_size": 80,
        "sampling_rate": 16000,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(features))


def main() -> None:
    """Learns on short windows, then on Whisper's own."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=folder / "training.log", level=logging.INFO, format="%(message)s")
    torch.manual_seed(1)
    torch.set_num_threads(1)
    random = np.random.default_rng(1)
    tokenizer = make_tokenizer()
    lessons = Lessons(tokenizer, Speaker(random), random)
    short = make_model(tokenizer, SHORT_FRAMES)
    teach(short, lessons, steps=1000, size=16, rate=3e-3)
    model = make_model(tokenizer, FRAMES)
    # The encoder's positions are sines, the same for any length.
    weights = short.state_dict()
    del weights["model.encoder.embed_positions.weight"]
    model.load_state_dict(weights, strict=False)
    for steps, rate in ROUNDS:
        teach(model, lessons, steps, size=4, rate=rate)
    save(model, tokenizer, folder / "transformers")


if __name__ == "__main__":
    main()
