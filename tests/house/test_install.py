"""What uv is told, so that it installs what pip would; pip where it cannot be told."""

import importlib.util
import re
from types import ModuleType

import pytest

from study.paths import project_root

ROOT = project_root()
LISTING = r"""
:env:.cert='/its own/certificates.pem'
:env:.extra-index-url='https://one.example/simple\nhttps://two.example/simple'
download.index-url='https://of.another.command/simple'
global.extra-index-url='https://not.heard/simple'
global.find-links='/wheels'
global.index-url='https://global.example/simple'
install.index-url='https://installing.example/simple?a=b'
global.progress-bar='off'
"""


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "install.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_uv_looks_where_pip_is_configured_to_look(install: ModuleType) -> None:
    options, variables = install.translate(install.read_settings(LISTING))
    assert set(options) == {
        "--no-config",
        "--index-strategy=unsafe-best-match",
        "--index-url=https://installing.example/simple?a=b",
        "--extra-index-url=https://one.example/simple",
        "--extra-index-url=https://two.example/simple",
        "--find-links=/wheels",
    }
    assert variables == {"SSL_CERT_FILE": "/its own/certificates.pem"}


@pytest.mark.parametrize("setting", ["only-binary=':all:'", "no-index='1'", "pre='yes'"])
def test_a_setting_that_uv_cannot_be_told_leaves_it_to_pip(
    install: ModuleType, setting: str
) -> None:
    settings = install.read_settings(f"{LISTING}global.{setting}\n")
    assert settings.keys() > install.read_settings(LISTING).keys()
    assert install.translate(settings) is None


def test_a_pin_is_cut_out_with_all_of_its_checksums(install: ModuleType) -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name in ("uv", "pip", "torch"):
        pin = install.pinned(lock, name)
        assert pin.startswith(f"{name}==") and pin.count("==") == 1
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", pin)) == pin.count("\n") > 1
    with pytest.raises(SystemExit, match="no pin of absent"):
        install.pinned(lock, "absent")


@pytest.mark.parametrize("by_uv", [True, False])
def test_pip_installs_only_where_uv_does_not(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, by_uv: bool
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(install, "install_by_uv", lambda *_: tried.append("uv") or by_uv)
    monkeypatch.setattr(install, "install_by_pip", lambda *_: tried.append("pip") or True)
    assert install.main(["-r", "requirements.txt"]) == 0
    assert tried == (["uv"] if by_uv else ["uv", "pip"])


def test_a_file_that_is_not_the_locked_one_is_a_sentence(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for way in ("install_by_uv", "install_by_pip"):
        monkeypatch.setattr(install, way, lambda *_: False)
    assert install.main(["-r", "requirements.txt"]) == 1
    assert "LOCK=0" in capsys.readouterr().out


def test_the_demo_needs_no_application_of_jupyter() -> None:
    """They were 45 packages, of which nothing is imported."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    assert {"ipykernel", "nbclient"} < names
    assert not names & {"jupyter", "jupyterlab", "notebook", "nbconvert"}


def test_settings_are_read_from_a_list_without_any(install: ModuleType) -> None:
    assert install.read_settings("") == {}
    assert install.translate({}) == (["--no-config", "--index-strategy=unsafe-best-match"], {})
