"""Models and tokenizers built from checkpoints: one way for every method.

Full fine-tuning is the absence of an adapter; the control trains the head alone. The head (and
whatever else the checkpoint lacks) is initialised from the run's seed by a generator of its own, so
every method of a seed starts from the same head. Where a parameter stands is said by ``structure``.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from encoders.adapters import add_adapter, is_adapter
from encoders.checking import check_tokenizer, check_weights
from encoders.checkpoints import (
    Checkpoint,
    find_file,
    get_file,
    loading,
    read_json,
    read_weights,
)
from encoders.checkpoints import find_checkpoint as find_checkpoint
from encoders.configuration import (
    MODELS,
    build_config,
    build_skeleton,
    refuse_own_code,
)
from encoders.structure import find_places, find_structure, head_modules
from study.errors import StudyError, refuse_other_revision
from study.layers import HEAD, NORM, POOLER, layer_number
from study.settings import MethodSettings

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedConfig

# transformers and peft take ten seconds to import: a render of stored results needs neither.
_DRAWN = (HEAD, POOLER)  # layers that a checkpoint may lack
#: How many runs a worker's machine trains at a time; set in workers alone.
NEIGHBOURS_VARIABLE = "RUNS_AT_A_TIME"


def load_config(checkpoint: Checkpoint, num_labels: int = 2) -> "PreTrainedConfig":
    """The configuration of a classifier on this encoder (``configuration.build_config``).

    Raises:
        StudyError: it cannot be read, or must not be used.
    """
    from transformers.utils.hub import extract_commit_hash

    with loading(checkpoint):
        file = get_file(checkpoint, "config.json")
        if checkpoint.revision:
            remedy = "check HF_ENDPOINT; the pinned revision can be put into MODEL_DIR by hand"
            served = extract_commit_hash(str(file), None)
            refuse_other_revision(checkpoint.location, checkpoint.revision, served, remedy)
        return build_config(read_json(file), num_labels, checkpoint.location)


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """The checkpoint's fast tokenizer, checked against its model.

    Sides, and the names of what a model is given, are this project's, whatever its files say.

    Raises:
        StudyError: its files are missing or are not this model's.
    """
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    config, where = load_config(checkpoint), checkpoint.location
    with loading(checkpoint):
        settings = find_file(checkpoint, "tokenizer_config.json")
        refuse_own_code(read_json(settings) if settings else {}, "tokenizer_config.json", where)
        config.tokenizer_class = read_json(get_file(checkpoint, "config.json")).get(
            "tokenizer_class"
        )
        tokenizer = AutoTokenizer.from_pretrained(
            where, revision=checkpoint.revision, config=config, trust_remote_code=False
        )
        file = find_file(checkpoint, "tokenizer.json")
        _check_files(checkpoint, tokenizer.vocab_files_names, file)
        stored = Tokenizer.from_file(str(file)) if file else None
        if stored:
            _follow(stored, tokenizer, read_json(settings) if settings else {}, where)
        tokenizer.padding_side = tokenizer.truncation_side = "right"
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
        if getattr(tokenizer.backend_tokenizer.model, "dropout", None):
            tokenizer.backend_tokenizer.model.dropout = None  # would cut a word anew each time
        check_tokenizer(tokenizer, config, stored.get_vocab() if stored else {}, where)
    return tokenizer


def _follow(stored: "Tokenizer", tokenizer: Any, settings: Mapping[str, Any], where: str) -> None:
    """Cuts text as ``tokenizer.json`` says, not as a class of transformers would.

    A class takes the vocabulary of that file and makes the rest anew: BERT's lowers text unless
    ``tokenizer_config.json`` says ``do_lower_case = false``, and a class that is not the
    vocabulary's own reads nothing.

    Raises:
        StudyError: the two files contradict each other on capitals.
    """
    backend = tokenizer.backend_tokenizer
    backend.normalizer = stored.normalizer
    backend.pre_tokenizer = stored.pre_tokenizer
    backend.model = stored.model
    said, lowers = settings.get("do_lower_case"), getattr(stored.normalizer, "lowercase", None)
    if lowers is not None and said is not None and bool(said) != lowers:
        raise StudyError(
            f"tokenizer_config.json says do_lower_case = {said}, but tokenizer.json says {lowers}",
            where=where,
            remedy="make the two files say the same",
        )


def build_model(
    checkpoint: Checkpoint, kind: str, num_labels: int, method: MethodSettings, seed: int
) -> nn.Module:
    """The model of a run before its first step, in float32.

    Args:
        checkpoint: the pretrained encoder.
        kind: ``sequence`` or ``token``.
        num_labels: classes of the head.
        method: what is trained and whether there is an adapter.
        seed: decides the head's (and an adapter's) initial values.

    Returns:
        The model; ``model.config.pooler_role`` says what its pooler counts as (``pooler_role``).

    Raises:
        StudyError: the checkpoint cannot be loaded or its model type is not supported.
    """
    model, fresh = load_base(checkpoint, kind, num_labels, seed)
    model.config.pooler_role = pooler_role(model, fresh, method)  # type: ignore[union-attr]
    if method.adapter is not None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return add_adapter(model, method.adapter, kind, head_and_pooler(model))
    if method.trainable != "all":
        beside, places = _head_layers(model), find_places(model)
        for name, parameter in model.named_parameters():
            chosen = method.trainable == "bias" and name.rpartition(".")[2] == "bias"
            parameter.requires_grad_(chosen or places[name].layer in beside)
    return model


def pooler_role(model: nn.Module, fresh: set[str], method: MethodSettings) -> str:
    """What the pooler counts as: ``encoder``, ``head``, or ``none`` where the model has none.

    The setting decides, for all methods of a model alike; a pooler that was not in the checkpoint
    is always part of the head.

    Args:
        model: of a run.
        fresh: names of its parameters that the checkpoint does not hold (``load_base``).
        method: its settings.
    """
    poolers = [name for name, place in find_places(model).items() if place.layer == POOLER]
    if not poolers:
        return "none"
    return "head" if method.pooler == "head" or fresh & set(poolers) else "encoder"


def load_base(
    checkpoint: Checkpoint, kind: str, num_labels: int, seed: int
) -> tuple[nn.Module, set[str]]:
    """The pretrained model with a seeded head, and the names of the parameters that are new."""
    import transformers

    config = load_config(checkpoint, num_labels)
    with loading(checkpoint):
        state = read_weights(checkpoint)
        check_weights(state, checkpoint.location)
        # Without a name there is nothing that transformers or peft could find beside the weights.
        model, info = getattr(transformers, MODELS[kind])[type(config)].from_pretrained(
            None,
            config=config,
            state_dict=state,
            dtype=torch.float32,  # transformers 5 would keep the checkpoint's dtype
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            trust_remote_code=False,
        )
    places = find_places(model)
    _check_fit(checkpoint, model, info)
    head = {name for name, place in places.items() if place.layer == HEAD}
    # What a checkpoint has from another classification is drawn anew, what it has from its
    # pretraining (ModernBERT's head.dense) is kept.
    fresh = (set(info["missing_keys"]) & set(places)) | (head - _pretrained_head(config))
    _initialise(model, fresh, seed)
    return model, fresh


def _check_files(checkpoint: Checkpoint, names: Mapping[str, str], whole: Path | None) -> None:
    """Refuses the default tokenizer that transformers builds where no file is found."""
    others = sorted(set(names.values()) - {"tokenizer.json"})
    missing = [name for name in others if find_file(checkpoint, name) is None]
    if whole is None and (missing or not others):
        raise StudyError(
            f"the checkpoint has no tokenizer files: neither tokenizer.json nor "
            f"{' and '.join(missing or ['another'])}",
            where=checkpoint.location,
            remedy="put the tokenizer's files beside the weights: "
            "AutoTokenizer.from_pretrained(NAME).save_pretrained(folder)",
        )


def _pretrained_head(config: "PreTrainedConfig") -> set[str]:
    """Names of what stands beside the encoder where its type was pretrained (masked words)."""
    pretrained = build_skeleton(config, "pretraining")
    return {name for name, place in find_places(pretrained).items() if place.layer == HEAD}


def head_and_pooler(model: nn.Module) -> list[str]:
    """Modules that every adapter is trained with: the head, and a pooler that counts as head."""
    prefix = find_structure(model).encoder
    return [*head_modules(model), *([f"{prefix}.pooler"] if POOLER in _head_layers(model) else [])]


def _head_layers(model: nn.Module) -> set[str]:
    """Layers that are trained as the head: its own, and a pooler that counts as head."""
    return {HEAD, POOLER} if getattr(model.config, "pooler_role", "") == "head" else {HEAD}


def _check_fit(checkpoint: Checkpoint, model: nn.Module, info: Mapping[str, Any]) -> None:
    """Refuses weights that are not this encoder's; a head, a pooler may be missing or differ."""
    structure, names = find_structure(model), {name for name, _ in model.named_parameters()}

    def layer(name: str) -> str:
        return structure.place(name).layer

    misfits = {f"{name} is missing" for name in set(info["missing_keys"]) & names}
    misfits |= {
        f"{name} is of shape {tuple(found)} instead of {tuple(wanted)}"
        for name, found, wanted in info["mismatched_keys"]
    }
    misfits |= {
        f"{name} has no place in the model"
        for name in info["unexpected_keys"]
        if is_adapter(name)
        or any(
            layer_number(layer(known)) is not None
            for known in (name, f"{structure.encoder}.{name}")
        )
    }
    strange = sorted(
        misfit
        for misfit in misfits
        if layer(misfit.split()[0]) not in _DRAWN or "no place" in misfit
    )
    if strange:
        raise StudyError(
            f"the weights do not fit config.json: {len(strange)} of the encoder's tensors differ; "
            f"the first: {strange[0]}",
            where=checkpoint.location,
            remedy="take weights and config.json from the same checkpoint",
        )


def trained_state(model: nn.Module) -> dict[str, Tensor]:
    """Copies on the CPU of what has to be kept of a run.

    That is all that is trained, and what an adapter changed of the encoder before the first step
    (PiSSA).
    """
    altered: frozenset[str] = getattr(model, "altered_base", frozenset())
    return {
        name: parameter.detach().to("cpu", copy=True).contiguous()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad or name in altered
    }


def load_trained(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Puts the kept parameters of a run into a model built with the same settings.

    Raises:
        StudyError: the names are not exactly the model's trainable parameters.
    """
    trainable = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    trainable |= getattr(model, "altered_base", frozenset())
    if difference := sorted(trainable ^ set(state)):
        raise StudyError(f"stored weights do not fit the model: {', '.join(difference[:4])}")
    model.load_state_dict(state, strict=False)


def head_parameters(model: nn.Module) -> set[str]:
    """Names of the trainable parameters of the head, a pooler that is trained with it included."""
    head, places = _head_layers(model), find_places(model)
    return {n for n, p in model.named_parameters() if p.requires_grad and places[n].layer in head}


def head_state(model: nn.Module) -> dict[str, Tensor]:
    """Copies of the trainable head by canonical name (adapter wrappers and copies left out)."""
    places = find_places(model)
    return {
        places[name].name: parameter.detach().to("cpu", copy=True)
        for name, parameter in model.named_parameters()
        if places[name].layer == HEAD and not places[name].copy
    }


def count_parameters(model: nn.Module) -> dict[str, int]:
    """Trainable and total parameters.

    peft keeps an untrained copy of the head beside the trained one; it is not counted.
    """
    places = find_places(model)
    counted = [p for name, p in model.named_parameters() if not places[name].copy]
    return {
        "trainable_parameters": sum(p.numel() for p in counted if p.requires_grad),
        "total_parameters": sum(p.numel() for p in counted),
    }


def compute_memory(model: nn.Module) -> dict[str, int]:
    """Bytes that the choice of method decides: weights, gradients and AdamW's two moments.

    All in float32, as they are kept under mixed precision too; activations are not in it.
    """
    total = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    trained = 4 * count_parameters(model)["trainable_parameters"]
    return {
        "memory_parameters_bytes": total,
        "memory_gradients_bytes": trained,
        "memory_optimizer_bytes": 2 * trained,
    }


def choose_device() -> torch.device:
    """The first GPU, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def describe_device() -> str:
    """The device in words."""
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    threads = torch.get_num_threads()
    own = f"CPU, {threads} thread{'' if threads == 1 else 's'}"
    at_a_time = os.environ.get(NEIGHBOURS_VARIABLE)
    return f"{own}, {at_a_time} runs at a time" if at_a_time else own


def _initialise(model: nn.Module, names: set[str], seed: int) -> None:
    """BERT's initialisation (normal weights, zero biases) in the order of the names."""
    generator = torch.Generator().manual_seed(seed)
    deviation = getattr(model.config, "initializer_range", 0.02)
    parameters, places = dict(model.named_parameters()), find_places(model)
    with torch.no_grad():
        for name in sorted(names):
            parameter = parameters[name]
            if parameter.dim() > 1:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * deviation)
            else:
                norm = places[name].kind == NORM and name.endswith("weight")
                parameter.fill_(1.0 if norm else 0.0)
