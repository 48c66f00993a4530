"""An adapter of the size that the course ships, on the chat model itself."""

from __future__ import annotations

import pytest
import torch

from helpers import models
from helpers.adapters import BASE, weights_checksum
from helpers.fetching import damage
from helpers.fetching.wheel import FETCH_COMMAND
from helpers.lora import add_lora_
from helpers.old.lora import load_adapter, save_adapter
from helpers.transformer import Llama
from tests.lora.test_layers import stirred
from tests.tools.model_cards import MOST_BYTES

# of the weights that the wheel's 4-bit file unpacks to; another one would refuse every adapter of the course
SHA256 = "751c2229fcf5b6eecc4b53a0c94f831b6b829a8ab1b70d2fc1288b075194db8f"


@torch.no_grad()
def test_on_the_chat_model_an_adapter_of_rank_8_gives_pefts_logits(tmp_path):
    if problem := damage(models.SOURCES["chat"]):
        pytest.skip(f"the chat model is not in the cache ({problem}): run `{FETCH_COMMAND}`")
    ids = torch.randint(0, 49_152, (1, 12), generator=torch.Generator().manual_seed(0))
    ours = Llama.from_pretrained(models.fetch("chat"))
    plain = ours(ids)
    assert weights_checksum(ours.parameters()) == SHA256
    corrected = stirred(add_lora_(ours, rank=8, alpha=1))
    save_adapter(corrected, tmp_path / "a", base=BASE)
    assert 2 * 2_442_240 < (tmp_path / "a" / "adapter_model.safetensors").stat().st_size < MOST_BYTES
    found = load_adapter(corrected, tmp_path / "a")(ids)
    del ours, corrected
    library, _ = models.chat_model(torch.float32, adapter=tmp_path / "a")
    # logits of up to 40 from 30 layers of float32 sums in another order
    torch.testing.assert_close(found, library(ids).logits, atol=1e-4, rtol=0)
    assert (found - plain).abs().max() > 0.5
