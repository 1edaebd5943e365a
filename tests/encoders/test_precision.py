"""Number formats and devices: what a setting becomes, and what is refused."""

import pytest
import torch

from encoders import precision
from encoders.precision import device_kind, machines, precision_on, resolve_precision, this_machine
from study.errors import StudyError
from study.profiles import load_profile


@pytest.fixture(params=["cpu", "amx", "old", "new"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param in ("old", "new"))
    flags = {"avx512_bf16", *(["amx_bf16"] if request.param == "amx" else [])}
    monkeypatch.setattr(precision, "cpu_flags", lambda: flags)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: request.param == "new")
    return request.param


EXPECTED = {
    "cpu": {"auto": "float32", "float32": "float32", "bfloat16": "bfloat16", "float16": None},
    "amx": {"auto": "bfloat16", "float32": "float32", "bfloat16": "bfloat16", "float16": None},
    "old": {"auto": "float16", "float32": "float32", "bfloat16": None, "float16": "float16"},
    "new": {
        "auto": "bfloat16",
        "float32": "float32",
        "bfloat16": "bfloat16",
        "float16": "float16",
    },
}


@pytest.mark.parametrize("wanted", ["auto", "float32", "bfloat16", "float16"])
def test_a_setting_is_resolved_or_refused(machine: str, wanted: str) -> None:
    assert device_kind() == ("cpu" if machine in ("cpu", "amx") else "gpu")
    expected = EXPECTED[machine][wanted]
    assert machines()[0] == this_machine() and len(set(machines())) == 4
    assert precision_on(this_machine(), wanted) == expected
    if expected is None:
        with pytest.raises(StudyError, match=f"{wanted}.*needs a GPU"):
            resolve_precision(wanted)
    else:
        assert resolve_precision(wanted) == expected


def test_an_unknown_format_is_named(tmp_path) -> None:
    file = tmp_path / "e.toml"
    file.write_text('[profiles.demo.cola.training]\nprecision = "bfloat"\n', encoding="utf-8")
    from study.paths import project_root

    with pytest.raises(StudyError, match=r"precision 'bfloat' .*did you mean 'bfloat16'"):
        load_profile("demo", [project_root() / "experiments.toml", file])


def test_flags_are_those_of_the_kernel(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = "processor\t: 0\nflags\t\t: fpu amx_bf16 amx_tile\n\nprocessor\t: 1\nflags\t\t: fpu\n"
    (tmp_path / "cpuinfo").write_text(given, encoding="utf-8")
    for name, found in (("cpuinfo", {"fpu", "amx_bf16", "amx_tile"}), ("none", set())):
        monkeypatch.setattr(precision, "CPU_INFO", tmp_path / name)
        precision.cpu_flags.cache_clear()
        assert precision.cpu_flags() == found
    precision.cpu_flags.cache_clear()
