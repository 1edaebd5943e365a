"""The command line: run what is missing, list it, run one, render.

``python code/run.py``                          train and measure what is missing (profile ``full``)
``python code/run.py --profile demo --list``    each run: state, key, seconds, size
``python code/run.py --only cola-lora-seed42``  one run
``python code/run.py render --profile demo``    the report, without a Quarto binary
``python code/run.py findings --profile demo``  where the report lies, and what it found
``python code/run.py verify --profile demo``    every number once more, compared with the report
``python code/run.py plan --profile full``      what it will take here, before anything is trained
``python code/run.py export cola-lora-seed42 FOLDER``   a trained model that others can load

Quarto calls this file before it renders (``pre-render`` in ``_quarto.yml``) and names the profile
in ``QUARTO_PROFILE``.
"""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

_CODE = str(Path(__file__).resolve().parent)
if _CODE not in sys.path:  # PYTHONSAFEPATH leaves a script's own folder out
    sys.path.insert(0, _CODE)

from study.process import prepare, say_taken_away  # noqa: E402

if __name__ == "__main__":  # before numpy and torch are imported: they read variables when they are
    say_taken_away(prepare())

from store import damage  # noqa: E402
from store.entries import Store, require_room  # noqa: E402
from store.ledger import Ledger  # noqa: E402
from study.environment import is_yes  # noqa: E402
from study.errors import Interruption, StudyError  # noqa: E402
from study.paths import cache_folder, figures_folder, output_folder, project_root  # noqa: E402
from study.profiles import load_profile  # noqa: E402
from study.settings import DEFAULT_PROFILE, Profile  # noqa: E402

REPORT_BYTES = 32_000_000  # what a render writes, and its working files
COMMANDS = ("run", "render", "findings", "verify", "export", "plan")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    say_taken_away(prepare())
    options = _parse(arguments)
    try:
        profile = load_profile(options.profile)
        options.finished_only |= is_yes("FINISHED_ONLY")
        if options.list:
            _list(profile)
        elif options.only:
            _run_one(profile, options.only)
        elif options.command == "findings":
            _tell_findings(profile, options.language)
        elif options.command == "verify":
            return _verify(profile)
        elif options.command == "plan":
            return _plan(profile)
        elif options.command == "export":
            _export(profile, *options.operands)
        else:
            if options.command == "render":  # before hours of training
                require_room(output_folder(profile.name), REPORT_BYTES, "OUTPUT_DIR")
                require_room(figures_folder(), REPORT_BYTES, "FIGURES_DIR")
            _run_all(profile, options)
        if options.command == "render":
            _render(profile, options.language)
        sys.stdout.flush()
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print(
            "\nstopped. Finished runs are stored; the same command goes on where this one stopped, "
            "and --finished-only renders what is there.",
            file=sys.stderr,
        )
        return stop.status if isinstance(stop, Interruption) else 128 + signal.SIGINT
    except BrokenPipeError:  # the reader has closed the pipe, as ``| head`` does
        _silence()
        return 128 + signal.SIGPIPE
    except OSError as error:
        if not damage.is_disk_error(error):
            raise
        _silence()  # if standard output itself is full, its buffered lines cannot be written
        place = error.filename or "standard output"
        print(f"error: cannot write: {place}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _silence() -> None:
    """Sends standard output to nothing from here on."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interruption(number)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py", description="Run what is missing; list it; render the report."
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, default="run")
    parser.add_argument(
        "operands", nargs="*", metavar="RUN FOLDER", help="of export: what is written, and where"
    )
    parser.add_argument(
        "--profile",
        default=os.environ.get("QUARTO_PROFILE") or DEFAULT_PROFILE,
        help="a profile of experiments.toml (default: QUARTO_PROFILE, else %(default)s)",
    )
    parser.add_argument("--list", action="store_true", help="show the state of every run")
    parser.add_argument("--only", metavar="RUN", help="run only this one, e.g. cola-lora-seed42")
    parser.add_argument(
        "--finished-only",
        action="store_true",
        help="train nothing: report the runs that are finished (also: FINISHED_ONLY=1)",
    )
    parser.add_argument(
        "--engine", default="serial", choices=("serial", "ray"), help="what the runs are spread by"
    )
    parser.add_argument("--address", help="of a running Ray cluster (with --engine ray)")
    parser.add_argument("--language", default="en", choices=("en", "ru"), help="of the report")
    options = parser.parse_intermixed_args(arguments)
    if len(options.operands) != 2 * (options.command == "export"):
        wanted = "a run and a folder" if options.command == "export" else "no further words"
        parser.error(
            f"{options.command} takes {wanted}, got {' '.join(options.operands) or 'none'}"
        )
    return options


def _run_all(profile: Profile, options: argparse.Namespace) -> None:
    _remove_left_over()
    ledger = _collect(profile) if options.finished_only else _complete(profile, options)
    failures = ledger.content["failures"]
    for run, reason in failures.items():
        print(f"failed: {run}: {reason}", file=sys.stderr)
    if not ledger.content["runs"]:
        raise StudyError(
            "no run of this profile is finished",
            remedy=f"python code/run.py --profile {profile.name}",
        )


def _remove_left_over() -> None:
    """Removes what a failed render by Quarto has left beside the document."""
    for document in os.environ.get("QUARTO_PROJECT_INPUT_FILES", "").splitlines():
        left = project_root() / f"{Path(document).stem}_files"
        shutil.rmtree(left, ignore_errors=True)


def _complete(profile: Profile, options: argparse.Namespace) -> Ledger:
    def report_early() -> str:
        return _render_early(profile, options.language)

    report = report_early if options.command == "render" else None
    if options.engine == "ray":
        from runs.engine import complete_on_ray

        return complete_on_ray(profile, Store(cache_folder()), options.address, report)
    from runs.progress import quieten_libraries
    from runs.workers import complete_in_workers

    quieten_libraries()
    return complete_in_workers(profile, Store(cache_folder()), report)


def _collect(profile: Profile) -> Ledger:
    """The ledger of finished runs; not checked where data, models or torch are missing."""
    try:
        return _grid(profile).collect()
    except (ImportError, StudyError) as error:
        reason = str(error).splitlines()[0]
        print(f"stored results, not checked against data and models: {reason}", file=sys.stderr)
        return Ledger.load(cache_folder(), profile)


def _run_one(profile: Profile, name: str) -> None:
    from runs.grid import plan_runs

    runs = {run.name: run for run in plan_runs(profile)}
    if name not in runs:
        raise StudyError(f"unknown run {name!r}; known: {', '.join(runs)}")
    _grid(profile).complete_run(runs[name])


def _list(profile: Profile) -> None:
    from runs.progress import format_duration

    store = Store(cache_folder())
    states = [*_grid(profile).states()]
    width = max((len(run.name) for run, _, _ in states), default=3)
    print(f"{'run':<{width}} {'state':<9} {'key':<12} {'training':>12} {'size':>10}")
    for run, key, entry in states:
        seconds = entry.result()["costs"]["training_seconds"] if entry else None
        shown = format_duration(seconds) if seconds is not None else "-"
        size = f"{entry.size / 1e6:.1f} MB" if entry else "-"
        state = "finished" if entry else store.state(key)
        print(f"{run.name:<{width}} {state:<9} {key.digest[:12]:<12} {shown:>12} {size:>10}")


def _render(profile: Profile, language: str) -> None:
    from rendering.preview import render

    document = _document(language)
    print("rendering without a Quarto binary (preview.py)", file=sys.stderr)
    render(document, output_folder(profile.name), profile.name)
    _tell_findings(profile, language)


def _render_early(profile: Profile, language: str) -> str:
    """Renders what is finished while runs are still to come; says where it is."""
    from rendering.preview import render

    document, folder = _document(language), output_folder(profile.name)
    render(document, folder, profile.name)
    finished = len(Ledger.load(cache_folder(), profile).content["runs"])
    report = folder / f"{document.stem}.html"
    return f"a first report, of {finished} finished runs: {report}; it grows with the others"


def _document(language: str) -> Path:
    return project_root() / ("report.qmd" if language == "en" else f"report.{language}.qmd")


def _verify(profile: Profile) -> int:
    """Recomputes what the report rests on; 1 where something differs."""
    from runs.progress import quieten_libraries
    from verification.checking import verify

    quieten_libraries()
    tally = verify(profile, Store(cache_folder()))
    for difference in tally.wrong:
        print(difference, file=sys.stderr)
    print(tally.summary())
    return 1 if tally.wrong else 0


def _plan(profile: Profile) -> int:
    """Says what the profile takes on this machine; 1 where something is missing."""
    from runs.progress import quieten_libraries

    quieten_libraries()  # they read it when they are imported, which the plan does
    from runs.plan import make_plan

    plan = make_plan(profile, Store(cache_folder()))
    for line in plan.lines():
        print(line)
    return 1 if plan.problems else 0


def _export(profile: Profile, name: str, folder: str) -> None:
    """Writes a finished run's model as a folder that transformers and peft load."""
    from runs.progress import quieten_libraries

    quieten_libraries()  # they read it when they are imported
    from runs.export import export_run

    export_run(profile, Store(cache_folder()), name, Path(folder))


def _tell_findings(profile: Profile, language: str) -> None:
    """The last lines of a render, whichever program rendered."""
    from rendering.closing import closing_lines
    from store.reading import load_results
    from words.wording import load_wording

    report = output_folder(profile.name) / _document(language).stem
    print()
    for line in closing_lines(load_results(profile.name), load_wording(language), report):
        print(line)


def _grid(profile: Profile):  # type: ignore[no-untyped-def]  # torch is imported only when needed
    from runs.completion import Grid
    from runs.progress import quieten_libraries

    quieten_libraries()
    return Grid(profile, Store(cache_folder()))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
