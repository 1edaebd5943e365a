"""Products of a step in bfloat16 on a CPU: LoRA's own stay in float32."""

import torch
from peft import LoraConfig, get_peft_model

import tiny
from training.formats import keep_adapters_in_float32


def test_lora_computes_in_float32_beside_a_matrix_in_bfloat16() -> None:
    config = LoraConfig(r=2, target_modules=["query", "value"], init_lora_weights=False)
    model = get_peft_model(tiny.build_model("bert", "token", 3), config).eval()
    batch, seen = tiny.build_batch(), {}
    with torch.no_grad():
        exact = model(**batch).logits

    def note(name: str):
        def hook(_module, _inputs, output) -> None:
            seen[name] = output.dtype

        return hook

    hooks = [
        module.register_forward_hook(note(name))
        for name, module in model.named_modules()
        if name.endswith(("lora_A.default", "lora_B.default", "base_layer", "query"))
    ]
    keep_adapters_in_float32(model)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        mixed = model(**batch).logits
    kinds = {name.split(".")[-2 if "lora" in name else -1]: kind for name, kind in seen.items()}
    assert kinds == {
        "lora_A": torch.float32,
        "lora_B": torch.float32,
        "base_layer": torch.bfloat16,
        "query": torch.bfloat16,
    }
    for hook in hooks:
        hook.remove()
    assert torch.allclose(mixed.float(), exact, atol=0.05) and not torch.equal(mixed.float(), exact)
    assert torch.equal(model(**batch).logits, exact), "without autocast nothing has changed"
