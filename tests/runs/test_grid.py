"""The grid and its stages: order, keys, reuse, failures."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import FinishedStudy
from encoders.precision import this_machine
from runs.completion import Grid
from runs.grid import plan_comparison, plan_experiments, plan_rounds, plan_runs
from runs.stages import train as train_stage
from runs.summaries import tell_scores
from store.entries import Store
from store.ledger import Ledger
from store.reading import read_results
from study.errors import StudyError
from study.profiles import load_profile
from tiny_study import load_tiny_profile
from training import loop
from waiting import run_process


def test_runs_are_ordered_by_seed_then_task_then_method() -> None:
    profile = load_profile("demo")
    names = [run.name for run in plan_runs(profile)]
    experiments = [run.name for run in plan_experiments(profile)]
    assert len(experiments) > 4 and names[-len(experiments) :] == experiments
    names = [run.name for run in plan_comparison(profile)]
    half = len(names) // 2 + 1  # the control with one seed
    assert all("seed42" in name for name in names[:half])
    assert all("seed43" in name for name in names[half:])
    assert [name for name in names if "monolingual" in name] == ["pos-monolingual-seed42"]
    assert names[:3] == ["cola-full-seed42", "cola-lora-seed42", "cola-frozen-seed42"]
    full = plan_runs(load_profile("full"))
    compared = 3 * 5 + 4 * 3
    assert len({run.name for run in full}) == len(full) > compared
    assert [run.variant is None for run in full] == [True] * compared + [False] * (
        len(full) - compared
    )


def test_every_run_of_the_tiny_study_has_all_its_stages(finished: FinishedStudy) -> None:
    content = finished.ledger.content
    assert content["failures"] == {}
    assert set(content["runs"]) == {run.name for run in plan_runs(finished.profile)}
    for name, stages in content["runs"].items():
        moves = "frozen" not in name
        assert ("structure" in stages) == ("representation" in stages) == moves
        assert ("restored" in stages) == ("masked" in stages) == moves
        assert "drift" in stages
        for entry in (stages["train"], stages["drift"], *stages["predict"].values()):
            assert finished.store.open(entry) is not None
    for task in ("cola", "pos"):
        of_task = {"items", "evidence", "price", "latency", "restoration", "forgetting"}
        assert of_task == set(content["tasks"][task])


def test_a_second_pass_makes_nothing(
    finished: FinishedStudy, tiny_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was made again")

    monkeypatch.setattr(Store, "_make", refuse)
    again = Grid(finished.profile, finished.store).complete()
    assert again.content == finished.ledger.content


def test_keys_change_with_what_decides_the_result_and_with_nothing_else(
    finished: FinishedStudy, tiny_environment: Path
) -> None:
    inputs, run = finished.grid.inputs, plan_runs(finished.profile)[0]
    digest = train_stage.key(inputs, run).digest

    def changed(**training: object) -> str:
        settings = replace(run.method.training, **training)
        changed = replace(run, method=replace(run.method, training=settings))
        return train_stage.key(inputs, changed).digest

    assert changed(learning_rate=9e-9) != digest
    assert changed(num_train_epochs=9) != digest
    assert changed(weight_decay=0.5) != digest
    assert changed(per_device_eval_batch_size=1) == digest
    automatic = this_machine()[1]
    assert changed(precision=automatic) == digest, "auto is what this machine multiplies in"
    other = {"float32": "bfloat16", "bfloat16": "float32"}[automatic]
    assert changed(precision=other) != digest
    assert train_stage.key(inputs, replace(run, seed=99)).digest != digest
    renamed = replace(run, method=replace(run.method, name="other"))
    assert train_stage.key(inputs, renamed).digest == digest


def test_changed_data_is_another_key(
    finished: FinishedStudy, tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    shutil.copytree(tiny_environment / "data", tmp_path / "data")
    file = tmp_path / "data" / "cola" / "in_domain_train.tsv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[1:]), encoding="utf-8")
    run = plan_runs(finished.profile)[0]
    before = train_stage.key(finished.grid.inputs, run).digest
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    fresh = Grid(finished.profile, finished.store).inputs
    assert train_stage.key(fresh, run).digest != before


def test_a_failing_run_is_recorded_and_the_others_go_on(
    tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = load_tiny_profile(
        "[profiles.tiny.cola]\nseeds = [1]\n[profiles.tiny.pos]\nseeds = [1]"
    )
    original = loop.train

    def fail_for_full(model, *rest, **more):
        if any("embeddings" in n and p.requires_grad for n, p in model.named_parameters()):
            raise StudyError("the GPU's memory is too small")
        return original(model, *rest, **more)

    monkeypatch.setattr(loop, "train", fail_for_full)
    ledger = Grid(profile, Store(tmp_path)).complete()
    assert set(ledger.content["failures"]) == {"cola-full-seed1", "pos-full-seed1"}
    assert "too small" in ledger.content["failures"]["cola-full-seed1"]
    assert "cola-lora-seed1" in ledger.content["runs"]


ONE_SEED = """
[profiles.tiny.cola]
seeds = [1]
[profiles.tiny.cola.training]
num_train_epochs = 1
[profiles.tiny.pos]
seeds = [1]
methods_run = ["frozen"]
[profiles.tiny.pos.training]
num_train_epochs = 1
"""


def test_any_exception_of_a_run_is_recorded_with_a_log_and_the_others_go_on(
    tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = loop.train

    def fail_for_full(model, *rest, **more):
        if any("embeddings" in n and p.requires_grad for n, p in model.named_parameters()):
            return {}["a bug of a library"]
        return original(model, *rest, **more)

    monkeypatch.setattr(loop, "train", fail_for_full)
    ledger = Grid(load_tiny_profile(ONE_SEED), Store(tmp_path)).complete()
    assert list(ledger.content["failures"]) == ["cola-full-seed1"]
    reason = ledger.content["failures"]["cola-full-seed1"]
    assert "KeyError" in reason and "failures/cola-full-seed1.log" in reason
    log = (tmp_path / "failures" / "cola-full-seed1.log").read_text(encoding="utf-8")
    assert "Traceback" in log and "fail_for_full" in log
    assert set(ledger.content["runs"]) == {
        "cola-lora-seed1",
        "cola-frozen-seed1",
        "pos-frozen-seed1",
    }
    # What a step costs is known of the methods that could be trained.
    price = Store(tmp_path).open(ledger.content["tasks"]["cola"]["price"])
    assert price is not None and set(price.result()["prices"]) == {"lora", "frozen"}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_no_failure_of_a_run(
    tiny_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: type[BaseException],
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise stop

    monkeypatch.setattr(loop, "train", interrupt)
    with pytest.raises(stop):
        Grid(load_tiny_profile(ONE_SEED), Store(tmp_path)).complete()


def test_an_unsupported_model_type_is_told_first_and_costs_no_other_method_its_price(
    tiny_environment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = load_tiny_profile(ONE_SEED)
    task = profile.tasks["cola"]
    strange = replace(task.methods[0], name="strange", model_name_or_path=str(tmp_path / "strange"))
    tasks = {**profile.tasks, "cola": replace(task, methods=(*task.methods[1:], strange))}
    shutil.copytree(tiny_environment / "models" / "tiny", tmp_path / "strange")
    config = tmp_path / "strange" / "config.json"
    content = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps({**content, "model_type": "nonsense"}), encoding="utf-8")
    ledger = Grid(replace(profile, tasks=tasks), Store(tmp_path / "cache")).complete()
    told = capsys.readouterr().err
    assert "nonsense" in told
    assert told.index("cola-strange-seed1") < told.index("[1/3]")
    assert list(ledger.content["failures"]) == ["cola-strange-seed1"]
    price = Store(tmp_path / "cache").open(ledger.content["tasks"]["cola"]["price"])
    assert price is not None and set(price.result()["prices"]) == {"lora", "frozen"}


def test_a_disk_without_room_is_said_before_the_first_step(
    tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10_000))
    with pytest.raises(StudyError, match=r"are needed.*\n.*CACHE_DIR"):
        Grid(load_tiny_profile(ONE_SEED), Store(tmp_path / "cache")).complete()
    assert not (tmp_path / "cache" / "train").exists()


@pytest.fixture
def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """Inside, what is trained counts as trained on a GPU in bfloat16."""

    @contextmanager
    def pretend() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(train_stage, "device_kind", lambda: "gpu")
            patch.setattr(train_stage, "resolve_precision", lambda _wanted: "bfloat16")
            yield

    return pretend


def test_runs_of_two_kinds_of_device_are_never_in_one_report(
    tiny_environment: Path, tmp_path: Path, on_a_gpu, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that was filled on a GPU and copied here is reported; it is not trained anew."""
    profile = load_tiny_profile(ONE_SEED)
    grid, runs = Grid(profile, Store(tmp_path)), plan_runs(profile)
    here = train_stage.key(grid.inputs, runs[0])
    with on_a_gpu():
        there = train_stage.key(grid.inputs, runs[0])
        of_gpu = [grid.complete_run(run) for run in runs[:2]]
    assert here.digest != there.digest and grid.store.find(here) is None
    of_cpu = grid.complete_run(runs[2])
    ledger = Grid(profile, grid.store).collect()
    assert set(ledger.content["runs"]) == {run.name for run in runs[:2]}, "most are of the GPU"
    assert "cola-frozen-seed1 is left out: trained on a CPU" in capsys.readouterr().err
    read = read_results(profile, grid.store)
    kinds = [(run.machine["device_kind"], run.machine["precision"]) for run in read.runs]
    assert kinds == [("gpu", "bfloat16")] * 2
    assert not read.facts.where(task="cola", method="frozen")
    assert [(gap.run, gap.state) for gap in read.missing] == [
        ("cola-frozen-seed1", "left-out"),
        ("pos-frozen-seed1", "missing"),
    ]
    # A list of results that mixes them, as older ones could, is no report.
    mixed = {run.name: stages for run, stages in zip(runs, [*of_gpu, of_cpu], strict=False)}
    ledger.content["runs"] = mixed
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "load", lambda *_: ledger)
        with pytest.raises(StudyError, match=r"cpu.*and gpu.*\n.*--finished-only"):
            read_results(profile, grid.store)
    for run in runs[:2]:  # now most are of this machine
        grid.complete_run(run)
    assert set(Grid(profile, grid.store).collect().content["runs"]) == {
        run.name for run in runs[:3]
    }


def test_missing_data_is_said_before_anything_is_trained(
    tiny_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "empty"))
    with pytest.raises(StudyError, match="DATA_DIR|--profile demo"):
        Grid(load_tiny_profile(), Store(tmp_path / "cache")).complete()
    assert not (tmp_path / "cache" / "train").exists()


def test_lora_changes_nothing_outside_its_targets_and_head(finished: FinishedStudy) -> None:
    for name, stages in finished.ledger.content["runs"].items():
        untouched = finished.store.open(stages["drift"]).result()["untouched"]
        assert untouched["changed"] == []
        if "full" not in name:
            assert untouched["tensors"] > 10, "nothing was compared"


def test_drift_of_the_frozen_encoder_is_zero_and_of_its_head_is_not(
    finished: FinishedStudy,
) -> None:
    stages = finished.ledger.content["runs"]["cola-frozen-seed1"]
    rows = finished.store.open(stages["drift"]).result()["rows"]
    moved = {row["layer"]: row["l2"] for row in rows if row["kind"] == "all"}
    assert moved["classifier"] > 0
    assert all(
        value == 0 for layer, value in moved.items() if layer not in ("classifier", "pooler")
    )


def test_a_pooler_that_counts_as_head_is_trained_and_measured_with_it(
    tiny_environment: Path, tmp_path: Path
) -> None:
    profile = load_tiny_profile(
        """
        [profiles.tiny.cola]
        pooler = "head"
        seeds = [1]
        methods_run = ["lora", "frozen"]
        [profiles.tiny.cola.training]
        num_train_epochs = 1
        """
    )
    grid = Grid(profile, Store(tmp_path))
    for run in plan_runs(profile)[:2]:
        stages = grid.complete_run(run)
        measured = grid.store.open(stages["drift"]).result()
        parameters = {r["layer"]: r["parameters"] for r in measured["rows"] if r["kind"] == "all"}
        assert "pooler" not in parameters
        assert parameters["classifier"] == (16 * 2 + 2) + (16 * 16 + 16)
        assert measured["untouched"]["changed"] == []
        assert grid.store.open(stages["train"]).result()["costs"]["pooler"] == "head"


def test_the_ledger_belongs_to_its_settings(finished: FinishedStudy) -> None:
    assert Ledger.load(finished.store.root, finished.profile).content == finished.ledger.content
    other = load_tiny_profile("[profiles.tiny.cola]\nseeds = [5]")
    with pytest.raises(StudyError, match=r"run\.py --profile tiny"):
        Ledger.load(finished.store.root, other)


def test_a_copied_cache_is_enough_for_the_report(finished: FinishedStudy, tmp_path: Path) -> None:
    import json
    import shutil
    import sys

    shutil.copytree(finished.store.root, tmp_path / "cache")
    code = """
import sys, json
sys.path[:0] = ["code", "tests"]
from store.reading import read_results
from store.entries import Store
from pathlib import Path
from study.settings import Profile
from study import profiles
text, root = sys.argv[1], Path(sys.argv[2])
files = [Path("experiments.toml"), Path(text)]
profile = profiles.load_profile("tiny", files)
study = read_results(profile, Store(root))
moved = len(study.facts.where(quantity="distance"))
print(json.dumps([len(study.runs), moved, "torch" in sys.modules]))
"""
    from tiny_study import PROFILE

    (tmp_path / "p.toml").write_text(PROFILE, encoding="utf-8")
    done = run_process(
        [sys.executable, "-c", code, str(tmp_path / "p.toml"), str(tmp_path / "cache")],
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    runs, drift, torch_loaded = json.loads(done.stdout)
    assert runs == len(finished.ledger.content["runs"]) and drift > 0 and not torch_loaded


def test_an_early_stop_leaves_a_complete_study_of_what_is_finished(
    finished: FinishedStudy, tiny_environment: Path, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(finished.store.root, tmp_path / "cache")
    for folder in (tmp_path / "cache" / "train").glob("*-seed2-*"):
        shutil.rmtree(folder)
    (tmp_path / "cache" / f"ledger-{finished.profile.name}.json").unlink()
    collected = Grid(finished.profile, Store(tmp_path / "cache")).collect().content
    assert len(collected["runs"]) == 6 and all("seed1" in name for name in collected["runs"])
    assert {"items", "evidence"} <= set(collected["tasks"]["cola"])
    assert (
        collected["tasks"]["cola"]["evidence"]
        != finished.ledger.content["tasks"]["cola"]["evidence"]
    )


class Hearer:
    def __init__(self) -> None:
        self.shares: list[float] = []

    def advance(self, run: str, share: float, loss: float | None = None) -> None:
        self.shares.append(share)


def test_a_run_tells_how_far_its_training_is(tiny_environment: Path, tmp_path: Path) -> None:
    grid = Grid(load_tiny_profile(ONE_SEED), Store(tmp_path))
    run = next(run for run in plan_runs(grid.profile) if run.name == "cola-frozen-seed1")
    hearer = Hearer()
    grid.complete_run(run, hearer)
    assert hearer.shares[0] == 0.0 and hearer.shares[-1] == 1.0
    assert hearer.shares == sorted(hearer.shares) and len(set(hearer.shares)) > 4
    told = tell_scores(grid.store, grid.inputs, run)
    assert told.startswith("MCC ") and "cola:validation" in told
    again = Hearer()
    grid.complete_run(run, again)
    assert again.shares == [], "what is stored is not trained"


def test_a_report_follows_each_round_that_made_runs_but_the_last(
    tiny_environment: Path, tmp_path: Path
) -> None:
    """A stored study has no early report, and one that cannot be made costs no run."""
    small = "".join(
        f"[profiles.tiny.{task}]\nmethods_run = ['frozen']\nseeds = [1, 2, 3]\n"
        for task in ("cola", "pos")
    )
    profile = load_tiny_profile(small)
    assert [len(runs) for runs in plan_rounds(profile)] == [2, 2, 2]
    told: list[list[str]] = []

    def report() -> str:
        ledger = Ledger.load(tmp_path, profile).content
        told.append(sorted(ledger["runs"]))
        assert all({"price", "evidence"} <= stages.keys() for stages in ledger["tasks"].values())
        if len(told) == 2:
            raise StudyError("this report cannot be made")
        return "a report"

    grid = Grid(profile, Store(tmp_path))
    ledger = grid.complete(report=report)
    first = ["cola-frozen-seed1", "pos-frozen-seed1"]
    second = sorted([*first, "cola-frozen-seed2", "pos-frozen-seed2"])
    assert told == [first, second]
    assert len(ledger.content["runs"]) == 6 and ledger.content["failures"] == {}
    Grid(profile, Store(tmp_path)).complete(report=report)
    assert len(told) == 2
