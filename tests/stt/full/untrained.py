"""An untrained Whisper of two layers, as transformers saves it; special tokens in Whisper's own order."""

import json
from pathlib import Path

from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import WhisperConfig, WhisperForConditionalGeneration


def save_untrained(folder: Path) -> None:
    """Writes everything that a converter and faster-whisper look for."""
    tokenizer = _tokenizer()
    model = _model(tokenizer)
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


def _tokenizer() -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    # CTranslate2 takes a model for multilingual when its vocabulary has the empty token.
    vocabulary = {token: number for number, token in enumerate([*alphabet, ""])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    special = ["endoftext", "startoftranscript", *_LANGUAGE_CODES, *tasks]
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in special])
    return tokenizer


def _model(tokenizer: Tokenizer) -> WhisperForConditionalGeneration:
    end = tokenizer.token_to_id("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size() + 1501, num_mel_bins=80, max_source_positions=1500,
        d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=256, decoder_ffn_dim=128, init_std=0.08,
        pad_token_id=end, bos_token_id=end, eos_token_id=end,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
    )  # fmt: skip
    return WhisperForConditionalGeneration(config)
