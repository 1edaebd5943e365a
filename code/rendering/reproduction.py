"""The box "how to reproduce this": command, commit, device, date, seeds, and how to cite."""

import yaml

from store.results import Results
from study.paths import project_root
from words.wording import LANGUAGES, MISSING, Wording

SECTION = "explorer"
TARGETS = {"full": "report", "single": "single", "laptop": "laptop", "demo": "demo"}


def describe_reproduction(results: Results, words: Wording) -> str:
    """The box as Markdown: commands to copy, facts as a list, an entry for a bibliography."""
    seeds = (
        f"{words.name(task)} `{', '.join(map(str, settings.seeds))}`"
        for task, settings in results.profile.tasks.items()
    )
    facts = {
        "commit": _values(results, "commit"),
        "device": _values(results, "device"),
        "date": _dates(results),
        "seeds": "; ".join(seeds),
    }
    rows = "\n".join(f"- {words.say(SECTION, key)}: {value}" for key, value in facts.items())
    name = results.profile.name
    target = TARGETS.get(name, f"render PROFILE={name}")
    language = "" if words.language == LANGUAGES[0] else f" LANGUAGE={words.language}"
    return (
        f"::: {{.reproduce}}\n**{words.say(SECTION, 'reproduce')}**\n\n"
        f"```bash\nmake {target}{language}\n```\n\n{rows}\n\n```bibtex\n{_bibtex()}\n```\n:::"
    )


def _values(results: Results, column: str) -> str:
    """The distinct values of a property of the machines, as code."""
    found = [str(value) for value in results.machines(column)]
    return ", ".join(f"`{value.replace('`', '')}`" for value in found) or MISSING


def _dates(results: Results) -> str:
    """First and last day of training."""
    days = sorted(str(time)[:10] for time in results.machines("time"))
    if not days:
        return MISSING
    return f"`{days[0]}`" if days[0] == days[-1] else f"`{days[0]}` – `{days[-1]}`"


def _bibtex() -> str:
    """``CITATION.cff`` as an entry for BibTeX."""
    work = yaml.safe_load((project_root() / "CITATION.cff").read_text(encoding="utf-8"))
    authors = " and ".join(
        author.get("name")
        or ", ".join(filter(None, (author.get(k) for k in ("family-names", "given-names"))))
        for author in work.get("authors", [])
    )
    fields = {
        "title": work.get("title"),
        "author": authors,
        "year": str(work.get("date-released", ""))[:4],
        "version": work.get("version"),
        "url": work.get("repository-code"),
    }
    body = "\n".join(f"  {key} = {{{value}}}," for key, value in fields.items() if value)
    return f"@software{{fine-tuning-against-lora,\n{body}\n}}"
