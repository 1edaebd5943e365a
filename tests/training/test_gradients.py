"""What a step computes and keeps: no gradient below LoRA's lowest adapter, no needless state."""

import pytest
import torch
from peft import LoraConfig, get_peft_model

import tiny

LAYERS = 3


def adapted(layers_to_transform: list[int] | None = None):
    """A tiny BERT with LoRA on query and value of these layers (None: of all)."""
    config = LoraConfig(
        r=2,
        target_modules=["query", "value"],
        modules_to_save=["classifier"],
        layers_to_transform=layers_to_transform,
    )
    return get_peft_model(tiny.build_model("bert", "token", 3, layers=LAYERS), config).train()


def gradient_reached(model) -> dict[str, bool]:
    """Module output -> whether the backward pass has a way through it."""
    seen: dict[str, bool] = {}
    encoder = model.get_base_model().bert

    def note(name: str):
        def hook(_module, _inputs, output):
            state = output[0] if isinstance(output, tuple) else output
            seen[name] = state.requires_grad

        return hook

    handles = [encoder.embeddings.register_forward_hook(note("embeddings"))]
    handles += [
        layer.register_forward_hook(note(f"layer.{number}"))
        for number, layer in enumerate(encoder.encoder.layer)
    ]
    model(**tiny.build_batch()).logits.sum().backward()
    for handle in handles:
        handle.remove()
    return seen


@pytest.mark.parametrize("lowest", [0, 1, 2])
def test_no_gradient_flows_below_the_lowest_adapter(lowest: int) -> None:
    reached = gradient_reached(adapted(list(range(lowest, LAYERS))))
    assert not reached["embeddings"]
    assert [reached[f"layer.{number}"] for number in range(LAYERS)] == [
        number >= lowest for number in range(LAYERS)
    ]


def test_only_what_is_trained_has_a_gradient_and_optimizer_state() -> None:
    model = adapted()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    model(**tiny.build_batch()).logits.sum().backward()
    optimizer.step()
    with_gradient = {name for name, p in model.named_parameters() if p.grad is not None}
    expected = {
        name
        for name, p in model.named_parameters()
        if ("lora_" in name or "modules_to_save" in name)
    }
    assert with_gradient == expected and len(expected) == LAYERS * 4 + 2
    assert len(optimizer.state) == len(expected)
