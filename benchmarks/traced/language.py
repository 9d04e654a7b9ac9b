"""Small models of transformers, with the classes and functions of the large ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from traced.operators import ready

ready()

import transformers as hf  # noqa: E402 (it looks into torchvision)

WORDS = {"vocab_size": 64, "use_cache": False}
SIZE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
LONG = {"max_position_embeddings": 32}
GPT2 = {"n_positions": 32, "n_embd": 32, "n_layer": 2, "n_head": 4}
OPT = {**LONG, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_decoder_layers": 2}
DISTIL = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48}
LLAMA = {**WORDS, **SIZE, **LONG, "num_key_value_heads": 2}

MODELS: dict[str, tuple[type[nn.Module], type[Any], dict[str, Any]]] = {
    "bert": (hf.BertModel, hf.BertConfig, {**WORDS, **SIZE, **LONG}),
    "bert_mlm": (hf.BertForMaskedLM, hf.BertConfig, {**WORDS, **SIZE, **LONG}),
    "bert_relu": (hf.BertModel, hf.BertConfig, {**WORDS, **SIZE, **LONG, "hidden_act": "relu"}),
    "gpt2": (hf.GPT2LMHeadModel, hf.GPT2Config, {**WORDS, **GPT2}),
    "gpt2_relu": (
        hf.GPT2LMHeadModel,
        hf.GPT2Config,
        {**WORDS, **GPT2, "activation_function": "relu"},
    ),
    "opt": (
        hf.OPTForCausalLM,
        hf.OPTConfig,
        {**WORDS, **OPT, "ffn_dim": 48, "word_embed_proj_dim": 32},
    ),
    "t5": (hf.T5ForConditionalGeneration, hf.T5Config, {**WORDS, **T5, "num_heads": 4}),
    "t5_enc": (hf.T5EncoderModel, hf.T5Config, {**WORDS, **T5, "num_heads": 4}),
    "t5_gated": (
        hf.T5ForConditionalGeneration,
        hf.T5Config,
        {**WORDS, **T5, "num_heads": 4, "feed_forward_proj": "gated-gelu"},
    ),
    "vit": (
        hf.ViTForImageClassification,
        hf.ViTConfig,
        {**SIZE, "image_size": 32, "patch_size": 8},
    ),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig, LLAMA),
    "mistral": (hf.MistralForCausalLM, hf.MistralConfig, LLAMA),
    "distilbert": (hf.DistilBertModel, hf.DistilBertConfig, {"vocab_size": 64, **LONG, **DISTIL}),
    "resnet": (
        hf.ResNetForImageClassification,
        hf.ResNetConfig,
        {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1], "layer_type": "basic"},
    ),
    "mobilenet_v1": (
        hf.MobileNetV1ForImageClassification,
        hf.MobileNetV1Config,
        {"depth_multiplier": 0.25},
    ),
    "convnext": (
        hf.ConvNextForImageClassification,
        hf.ConvNextConfig,
        {"hidden_sizes": [16, 32, 32, 32], "depths": [1, 1, 1, 1]},
    ),
}
"""For each name the class, its configuration's, and the sizes; with `_eager` at the end of a name,
attention is written out instead of one fused operation."""
PICTURES = {"vit": 32, "resnet": 64, "mobilenet_v1": 64, "convnext": 64}


class Plain(nn.Module):
    """A model that is called by position and answers with one tensor."""

    def __init__(self, model: nn.Module, keyword: str) -> None:
        super().__init__()
        self.model, self.keyword = model, keyword

    def forward(self, input: Tensor) -> Tensor:
        """The scores, or what the last layer says if there are none."""
        return answer(self.model(**{self.keyword: input}))


class Pair(nn.Module):
    """A model that reads one sequence and continues another."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, words: Tensor, begun: Tensor) -> Tensor:
        """The scores."""
        return answer(self.model(input_ids=words, decoder_input_ids=begun))


def answer(found: Any) -> Tensor:
    """The one tensor of what a model returns that counts."""
    return found.logits if "logits" in found else found.last_hidden_state


def build(name: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """A model with random weights, and an input for it."""
    base = name.removeprefix("transformers/").removesuffix("_eager")
    kind, configuration, settings = MODELS[base]
    config = configuration(**settings)
    if name.endswith("_eager"):
        config._attn_implementation = "eager"
    model = kind(config)
    if base in PICTURES:
        side = PICTURES[base]
        return Plain(model, "pixel_values"), (torch.randn(1, 3, side, side),)
    words = torch.arange(1, 13)[None]
    if isinstance(model, hf.T5ForConditionalGeneration):
        return Pair(model), (words, words[:, :6].clone())
    return Plain(model, "input_ids"), (words,)
