"""The way back: the course's encoder-decoder as transformers' own T5, with the same weights."""

from __future__ import annotations

from typing import Any

from helpers.old.transformer.encoder_decoder import EncoderDecoder, our_t5_name


def library_t5(model: EncoderDecoder, pad_id: int, end_id: int) -> Any:
    """A `transformers.T5ForConditionalGeneration` of the same sizes and weights, ready to generate.

    Raises ValueError for a model whose feed-forward layers are not the first T5's (ReLU, not gated), whose head has
    weights of its own, or whose logits are not scaled.
    """
    from transformers import T5Config, T5ForConditionalGeneration

    c, ours = model.config, model.state_dict()
    if (c.activation, c.gated, c.tied, c.scaled_logits) != ("relu", False, True, True):
        raise ValueError("library_t5 makes the first T5: ReLU that is not gated, a tied head and scaled logits.")
    config = T5Config(
        vocab_size=c.vocab_size,
        d_model=c.d_model,
        d_kv=c.head_dim,
        d_ff=c.d_ff,
        num_layers=c.n_encoder_layers,
        num_decoder_layers=c.n_layers,
        num_heads=c.n_heads,
        relative_attention_num_buckets=c.n_buckets,
        relative_attention_max_distance=c.max_distance,
        layer_norm_epsilon=c.norm_eps,
        dropout_rate=c.dropout,
        pad_token_id=pad_id,
        eos_token_id=end_id,
        decoder_start_token_id=c.start_id,
    )
    theirs = T5ForConditionalGeneration(config).to(model.embedding.weight.device)
    names = {name: our_t5_name(name) for name in theirs.state_dict()}  # theirs: ours, None for copies
    theirs.load_state_dict({name: ours[own] for name, own in names.items() if own}, strict=False)
    return theirs.eval()
