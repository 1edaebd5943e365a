"""Installs requirements into the environment of this interpreter: by uv, else by pip.

``python install.py -r requirements.txt -r requirements-demo.txt``

Every file is checked against ``requirements.lock``. uv fetches and unpacks packages side by side
and needs about half of pip's processor time. It does not read pip's configuration, so it is told
what pip is configured with. Where that holds a setting that has no counterpart here, or uv fails
for whatever reason, pip installs. An index of a machine's own may serve a torch that was built for
it ("+" in its version), which no public list of checksums can know: it is named and installed
first, and everything else is checked as ever.
"""

import ast
import importlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
SETUP = ("-r", str(ROOT / "requirements-setup.txt"))
QUIETLY = ("-q", "--disable-pip-version-check", "--no-compile")

# Settings of pip that say where packages come from: uv takes them under the same names.
SOURCES = ("index-url", "extra-index-url", "find-links")
# Settings of pip that uv reads from variables.
VARIABLES = {
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
# Settings that do not change what is installed: the lock pins every version.
IMMATERIAL = {
    *("break-system-packages", "cache-dir", "config-file", "constraint", "no-cache-dir"),
    *("disable-pip-version-check", "no-color", "no-compile", "no-input"),
    *("no-python-version-warning", "no-warn-script-location", "progress-bar", "quiet"),
    *("require-virtualenv", "retries", "root-user-action", "upgrade-strategy", "user", "verbose"),
}


def main(arguments: Sequence[str]) -> int:
    """Installs; returns the exit status."""
    torch = pinned((ROOT / "requirements.txt").read_text(encoding="utf-8"), "torch").split()[0]
    if install_by_uv([*SETUP, *arguments], torch):
        return 0
    print("installing with pip", flush=True)
    if install_by_pip(arguments, torch):
        return 0
    print(
        "A package is not the file that requirements.lock names. "
        "If you trust your index: make LOCK=0 …"
    )
    return 1


def find_pip() -> list[str]:
    """A pip that installs into this environment: its own, else that of the Python it was made by.

    An environment is made without a pip where that one will do, which saves seconds.
    """
    if find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    made_by = getattr(sys, "_base_executable", sys.executable)
    return [made_by, "-m", "pip", f"--python={sys.executable}"]


def pinned(text: str, name: str) -> str:
    """The lines that pin a package in a list of requirements: its version and its checksums."""
    found = re.search(rf"^{name}==.*(?:\n[ \t]+.*)*", text, re.MULTILINE)
    if found is None:
        raise SystemExit(f"error: there is no pin of {name} in the requirements")
    return found[0]


def read_settings(listing: str) -> dict[str, str]:
    """Setting of pip -> its value, from what ``pip config list`` prints.

    Sections of other commands are left out; ``install`` wins over ``global``, variables over both.
    """
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                settings[name.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return settings


def translate(settings: Mapping[str, str]) -> tuple[list[str], dict[str, str]] | None:
    """Options and variables that make uv look where pip looks; None where it cannot be told."""
    options, variables = ["--no-config", "--index-strategy=unsafe-best-match"], {}
    for name, value in settings.items():
        if name in SOURCES:
            options += [f"--{name}={place}" for place in value.split()]
        elif name in VARIABLES:
            variables[VARIABLES[name]] = value
        elif name not in IMMATERIAL:
            return None
    return options, variables


def install_by_uv(arguments: Sequence[str], torch: str) -> bool:
    """Whether uv has installed everything."""
    pip = find_pip()
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False)
    translated = translate(read_settings(listed.stdout))
    if translated is None:
        return False
    options, variables = translated
    environment = {**os.environ, **variables}
    with tempfile.TemporaryDirectory() as folder:
        locked = LOCK.read_text(encoding="utf-8")
        own_pin = Path(folder) / "uv.txt"
        own_pin.write_text(pinned(locked, "uv"), encoding="utf-8")
        fetch = [*pip, "install", *QUIETLY, "--require-hashes", "-r", str(own_pin)]
        fetched = subprocess.run(fetch, check=False)
        if fetched.returncode:
            return False
        command = [sys.executable, "-m", "uv", "pip", "install", f"--python={sys.executable}"]
        command += options
        only_torch = [*command, "--no-deps", torch]
        planned = subprocess.run(
            [*only_torch, "--dry-run"], env=environment, capture_output=True, text=True, check=False
        )
        own = re.search(r"\+ (torch==\S+\+\S+)", planned.stderr)
        if own:
            say_unchecked(own[1])
            subprocess.run([*only_torch, "-q"], env=environment, check=False)
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(locked + accept_installed_torch(), encoding="utf-8")
        checked = ["-q", "--require-hashes", f"--constraint={constraints}", *arguments]
        return not subprocess.run([*command, *checked], env=environment, check=False).returncode


def accept_installed_torch() -> str:
    """A line for an installed torch with a "+" in its version, without which uv refuses it.

    uv asks that a checksum is named for it, but compares none, since nothing is fetched. This one
    belongs to no file.
    """
    importlib.invalidate_caches()  # it was installed by another process just now
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""
    return f"torch=={version} --hash=sha256:{'0' * 64}\n" if "+" in version else ""


def install_by_pip(arguments: Sequence[str], torch: str) -> bool:
    """Whether pip has installed everything."""
    pip = [sys.executable, "-m", "pip"]
    if not find_spec("pip"):
        subprocess.run([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL, check=False)
    # Older ones do not take checksums from a list of constraints.
    subprocess.run([*pip, "install", *QUIETLY, "--upgrade", "pip>=25"], check=False)
    dry = [*pip, "install", "--disable-pip-version-check", "--no-deps", "--dry-run", torch]
    planned = subprocess.run(dry, capture_output=True, text=True, check=False)
    if own := re.search(r"torch-\d[\d.]*\+[a-z0-9.]+$", planned.stdout, re.MULTILINE):
        say_unchecked(own[0])
        if subprocess.run([*pip, "install", *QUIETLY, torch], check=False).returncode:
            return False
    checked = [*pip, "install", *QUIETLY, "--require-hashes", *arguments, "-c", str(LOCK)]
    return not subprocess.run(checked, check=False).returncode


def say_unchecked(torch: str) -> None:
    """Names a torch that cannot be checked."""
    print(f"installing {torch}, a build of this index, without a checksum of ours", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
