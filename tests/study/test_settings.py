"""Settings: what a profile says, what it inherits, and how a bad value is refused."""

import tomllib
from pathlib import Path

import pytest

from study.adapters import AdapterSettings
from study.addresses import language_of
from study.errors import StudyError
from study.profiles import load_profile
from study.settings import Margins

BASE = Path(__file__).parents[2] / "experiments.toml"


def load(tmp_path: Path, text: str, name: str = "mine"):
    local = tmp_path / "experiments.local.toml"
    local.write_text(text, encoding="utf-8")
    return load_profile(name, [BASE, local])


def test_the_four_profiles_exist_and_full_is_what_the_assignment_asks() -> None:
    assert list(tomllib.loads(BASE.read_text())["profiles"]) == ["full", "single", "laptop", "demo"]
    full = load_profile("full", [BASE])
    cola, pos = full.tasks["cola"], full.tasks["pos"]
    assert cola.methods[0].model_name_or_path.endswith("bert-base-uncased")
    assert pos.methods[0].model_name_or_path.endswith("bert-base-multilingual-cased")
    assert pos.train == "en_ewt:train"
    assert pos.evaluations == ("en_ewt:validation", "de_gsd:test")
    assert len(cola.seeds) == 5 and len(pos.seeds) == 3 and cola.seeds[0] == pos.seeds[0] == 42
    assert all(m.training.num_train_epochs == 5 for m in cola.methods)
    assert all(m.training.num_train_epochs >= 3 for m in pos.methods)


@pytest.mark.parametrize("task", ["cola", "pos"])
def test_methods_are_full_lora_and_frozen(task: str) -> None:
    methods = {m.name: m for m in load_profile("full", [BASE]).tasks[task].methods}
    full, lora, frozen = methods["full"], methods["lora"], methods["frozen"]
    assert full.adapter is None and full.trainable == "all"
    assert frozen.adapter is None and frozen.trainable == "head"
    assert lora.adapter == AdapterSettings.of(
        "LORA", r=8, lora_alpha=16, lora_dropout=0.1, target_modules=["query", "value"]
    )
    assert 5 <= lora.training.learning_rate / full.training.learning_rate <= 20


def test_a_setting_of_the_head_is_stated_only_where_it_differs(tmp_path: Path) -> None:
    plain = load(tmp_path, "[profiles.mine]").tasks["cola"].methods[0]
    assert plain.training.head_learning_rate is None
    own = load(tmp_path, "[profiles.mine.cola.training]\nhead_learning_rate = 1").tasks["cola"]
    assert own.methods[0].training.head_learning_rate == 1.0


def test_an_adapter_gives_its_options_anew_each_time() -> None:
    """Peft changes the lists that it is given."""
    adapter = AdapterSettings.of("LORA", target_modules=["query"], r=4)
    adapter.options["target_modules"].append("value")
    assert adapter.options == {"target_modules": ["query"], "r": 4}
    assert adapter == AdapterSettings.of("LORA", r=4, target_modules=["query"])
    assert len({adapter, AdapterSettings.of("LORA", r=4, target_modules=["value"])}) == 2


def test_every_hub_model_is_pinned_to_a_commit() -> None:
    for profile in ("full", "single", "laptop"):
        for task in load_profile(profile, [BASE]).tasks.values():
            for method in task.methods:
                assert len(method.revision) == 40, (profile, task.name, method.name)


def test_a_profile_inherits_and_states_only_what_differs() -> None:
    full, single = load_profile("full", [BASE]), load_profile("single", [BASE])
    assert single.tasks["cola"].seeds == (42,)
    assert single.tasks["cola"].method("full").training.num_train_epochs == 3
    assert single.tasks["pos"].method("lora") == full.tasks["pos"].method("lora")


def test_a_method_may_bring_fewer_seeds_than_its_task(tmp_path: Path) -> None:
    text = '[profiles.mine]\ninherits = "full"\n[profiles.mine.pos.methods.lora]\nseeds = [42]\n'
    task = load(tmp_path, text).tasks["pos"]
    seeds = {method.name: task.seeds_of(method) for method in task.methods}
    assert seeds.pop("lora") == (42,)
    assert seeds and set(seeds.values()) == {(42, 43, 44)}
    with pytest.raises(StudyError, match="distinct"):
        load(tmp_path, text.replace("[42]", "[42, 42]"))


def test_a_method_may_bring_a_model_of_its_own(tmp_path: Path) -> None:
    text = (
        '[profiles.mine.pos]\nmethods_run = ["full", "monolingual"]\nmodel_name_or_path = "x/y"\n'
    )
    methods = {m.name: m for m in load(tmp_path, text).tasks["pos"].methods}
    assert methods["full"].model_name_or_path == "x/y"
    assert methods["monolingual"].model_name_or_path == "google-bert/bert-base-cased"


def test_a_new_method_and_language_need_only_the_file(tmp_path: Path) -> None:
    text = """
[profiles.mine.pos]
methods_run = ["full", "wide"]
evaluations = ["en_ewt:validation", "de_gsd:test", "fr_gsd:test"]
[profiles.mine.pos.methods.wide]
adapter = { peft_type = "LORA", r = 64, target_modules = ["query", "key", "value"] }
"""
    pos = load(tmp_path, text).tasks["pos"]
    assert pos.method("wide").adapter == AdapterSettings.of(
        "LORA", r=64, target_modules=["query", "key", "value"]
    )
    assert language_of(pos.evaluations[2]) == "fr"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[profiles.mine.cola.training]\nlearning_rte = 1e-3", ("learning_rte", "learning_rate")),
        ("[profiles.mine.cola.training]\nlearning_rate = -1.0", ("learning_rate", "above 0")),
        ("[profiles.mine.cola.training]\nlearning_rate = 'fast'", ("learning_rate", "float")),
        ("[profiles.mine.cola.training]\nnum_train_epochs = true", ("num_train_epochs", "int")),
        ("[profiles.mine.cola.training]\nwarmup_ratio = 1.5", ("warmup_ratio", "[0, 1)")),
        ("[profiles.mine.cola.training]\nlr_scheduler_type = 'x'", ("lr_scheduler_type", "linear")),
        ("[profiles.mine.cola]\nmethods_run = ['lore']", ("lore", "lora", "full")),
        ("[profiles.mine.cola]\nmethods_run = []", ("methods_run",)),
        ("[profiles.mine.cola]\nmethods_run = 3", ("methods_run", "expected a list")),
        ("[profiles.mine]\nworkers = 0", ("workers", "at least 1")),
        ("[profiles.mine]\nworkers = 'two'", ("workers", "expected int")),
        ("[profiles.mine.cola]\nseeds = [1, 1]", ("seeds", "distinct")),
        ("[profiles.mine.cola]\nmethods_run = ['full', 'full']", ("methods_run", "distinct")),
        ("[profiles.mine.pos]\nevaluations = ['en_a:test', 'en_a:test']", ("distinct", "en_a")),
        ("[profiles.mine.pos]\nevaluations = ['en_ewt:train']", ("other sets than the training",)),
        ("[profiles.mine.pos]\ntrain = 'de_gsd:train'", ("language of the training set",)),
        ("[profiles.mine.pos]\ntrain = 'german:train'", ("<language>_<name>",)),
        (
            "[profiles.mine.cola.methods.lora]\n"
            "adapter = { peft_type = 'LORA', target_modules = ['query', 'query'] }",
            ("target_modules", "distinct"),
        ),
        ("[profiles.mine.cola]\norigin = 'cloud'", ("cloud", "miniature")),
        ("[profiles.mine.cola]\nevaluations = ['cola']", ("cola", "corpus:split")),
        ("[profiles.mine.cols]\nseeds = [1]", ("cols", "cola")),
        ("[profiles.mine]\ninherits = 'fulll'", ("fulll", "full")),
        ("[profiles.mine.cola.training]\nlearning_rate = inf", ("learning_rate", "finite")),
        ("[profiles.mine.cola.training]\nlearning_rate = nan", ("learning_rate", "above 0")),
        ("[profiles.mine.cola.training]\nweight_decay = 1e400", ("weight_decay", "finite")),
        ("[profiles.mine.cola.training]\nhead_learning_rate = inf", ("head_", "finite")),
        ("[profiles.mine.cola]\nseeds = [-1]", ("seeds", "from 0 to")),
        ("[profiles.mine.cola]\nseeds = [4294967296]", ("seeds", "from 0 to")),
        ("[profiles.mine.pos.methods.lora]\nseeds = [-2]", ("seeds", "from 0 to")),
        ("[profiles.mine]\ntitle = ['a']", ("title", "expected str")),
        (
            "[profiles.mine.cola.training]\nhead_learning_rate = 0.0",
            ("head_learning_rate", "above 0"),
        ),
        (
            "[profiles.mine.cola.training]\nhead_learning_rate = 'fast'",
            ("head_learning_rate", "float"),
        ),
        *(
            (f"[profiles.mine.cola.methods.lora]\nadapter = {{ {adapter} }}", words)
            for adapter, words in {
                "r = 8": ("adapter", "peft_type", "target_modules"),
                "peft_type = 'LORA', r = 0": ("r must", "at least 1"),
                "peft_type = 'LORA', r = -1": ("r must", "at least 1"),  # peft takes it
                "peft_type = 'LORA', r = true": ("r must",),
                "peft_type = 'LORA', r = 8.5": ("r must",),
                "peft_type = 'LORA', lora_alpha = 0": ("lora_alpha", "above 0"),
                "peft_type = 'LORA', lora_dropout = 1": ("lora_dropout", "[0, 1)"),
                "peft_type = 'LORA', target_modules = []": ("target_modules", "a list of names"),
                "peft_type = 'LORA', target_modules = [1]": ("target_modules", "a list of names"),
                "peft_type = 'LORA', task_type = 'SEQ_CLS'": ("task_type", "left to the study"),
                "peft_type = 'PREFIX_TUNING', num_virtual_tokens = 0": ("num_virtual_tokens",),
            }.items()
        ),
        (
            "[profiles.mine.cola.methods.lora]\ntrainable = 'bias'",
            ("trainable", "left out where there is an adapter"),
        ),
    ],
)
def test_a_bad_value_is_named_with_what_is_valid(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(StudyError) as caught:
        load(tmp_path, text)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("profiles = 3", "profiles"),
        ("[profiles]\nmine = 3", "profiles.mine"),
        ("defaults = 'x'\n[profiles.mine]", "defaults"),
        ("[defaults]\ncola = 3\n[profiles.mine]", "defaults.cola"),
        ("[profiles.mine]\ncola = []", "profiles.mine.cola"),
        ("[profiles.mine]\nmargins = 0.1", "profiles.mine.margins"),
        ("[profiles.mine.cola]\ntraining = 5", "profiles.mine.cola.training"),
        ("[profiles.mine.cola]\nmethods = ['full']", "profiles.mine.cola.methods"),
        ("[profiles.mine.cola.methods]\nfull = 1", "profiles.mine.cola.methods.full"),
        ("[profiles.mine.cola.methods.lora]\nadapter = 'lora'", "methods.lora.adapter"),
        ("[[profiles.mine.cola.methods.lora.adapter]]\nkind = 'lora'", "methods.lora.adapter"),
    ],
)
def test_a_value_in_the_place_of_a_table_is_named(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(StudyError, match=rf"local\.toml: \S*{place}: expected a table, got"):
        load(tmp_path, text)


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(StudyError, match=r"did you mean 'demo'.*full, single, laptop, demo"):
        load_profile("dem", [BASE])


def test_a_circle_of_profiles_is_refused(tmp_path: Path) -> None:
    text = "[profiles.mine]\ninherits = 'other'\n[profiles.other]\ninherits = 'mine'"
    with pytest.raises(StudyError, match="circle"):
        load(tmp_path, text)


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"experiments\.local\.toml.*TOML"):
        load(tmp_path, "[profiles.mine")


def test_margins_of_equivalence_are_shared_by_tasks_and_checked(tmp_path: Path) -> None:
    tasks = load_profile("full", [BASE]).tasks
    assert {task.margins for task in tasks.values()} == {Margins()}
    margins = tasks["pos"].margins
    assert (margins.of("matthews_correlation"), margins.of("accuracy")) == (0.02, 0.005)
    assert margins.of("drop") == margins.of("accuracy") and margins.of("f1") is None
    wider = load(tmp_path, "[profiles.mine.margins]\naccuracy = 0.01\n").tasks["cola"].margins
    assert wider == Margins(accuracy=0.01)
    for text in ("accuracy = 0.0", "accuracy = 2", "acuracy = 0.1", "cost_ratio = 1.0"):
        with pytest.raises(StudyError, match=r"accuracy|cost_ratio"):
            load(tmp_path, f"[profiles.mine.margins]\n{text}\n")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[profiles.mine]\ninherits = "demo"\nx = 1\n', r"local\.toml: profiles\.mine"),
        ('[profiles.mine]\ninherits = "dmo"\n', r"local\.toml"),
        ("[profiles.mine.cola]\nseeds = []\n", r"local\.toml: profiles\.mine\.cola"),
        ("[profiles.mine.cola]\nseeds = 3\n", r"local\.toml: profiles\.mine\.cola\.seeds"),
        ("[profiles.mine.cola.training]\nlearning_rate = -1\n", r"local\.toml: profiles\.mine"),
        ("[profiles.mine]\n\nx = = 2\n", r"local\.toml:3: "),
        ("[profile]\n", r"local\.toml: unknown key 'profile'"),
    ],
)
def test_a_refusal_names_the_file_and_the_place_in_it(
    tmp_path: Path, text: str, place: str
) -> None:
    with pytest.raises(StudyError, match=place):
        load(tmp_path, text)


def test_byte_order_marks_in_settings_are_no_part_of_them(tmp_path: Path) -> None:
    text = '\ufeff[profiles.mine]\ninherits = "demo"\n\ufeff[profiles.mine.pos]\nseeds = [7]\n'
    assert load(tmp_path, text).tasks["pos"].seeds == (7,)
