"""The render without a Quarto binary, on small documents of our own."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typst
from bs4 import BeautifulSoup

from rendering import document as reading
from rendering import execution, preview
from study.errors import StudyError
from words.wording import LANGUAGES, load_wording

ROOT = Path(__file__).parents[2]
PROJECT = """
bibliography: references.bib
execute: {echo: false, warning: false}
format: {html: {toc: true}}
"""

BIBLIOGRAPHY = """
@article{hu2021,
  author = {Hu, Edward and Shen, Yelong}, title = {Low-Rank Adaptation}, year = {2021},
  journal = {Proceedings}
}
"""

DOCUMENT = """---
title: A small report
author:
  - name: Jane Doe
    affiliation: Group 7
abstract: The abstract points at @fig-line.
lang: LANG
---

```{python}
#| label: setup
#| include: false
import os, sys
from pathlib import Path
import matplotlib.pyplot as plt
from IPython.display import Markdown
with Path("executions.txt").open("a") as counter:
    print("x", file=counter)
Path("kernel.txt").write_text(str(os.getpid()))
print("never shown")
```

# Opening {#sec-opening}

Values `{python} f"{1234:,}"`, `{python} 6 * 7` and `{python} Markdown("**bold**")`, a literal
`{python} "a_b*c*[d]"`. Profile `{python} os.environ["QUARTO_PROFILE"]`, interpreter
`{python} str(sys.executable == INTERPRETER)`, folder `{python} Path.cwd().name`.
See @fig-line, -@tbl-long and @sec-nested [@hu2021]. Work: @hu2021.

::: {.content-visible when-format="html"}
only-in-html
:::

::: {.content-visible when-format="typst"}
only-in-pdf
:::

::: {.content-visible when-profile="demo"}
only-in-demo
:::

::: {.content-hidden when-profile="demo"}
not-in-demo
:::

```{python}
#| label: fig-bar
#| fig-cap: "Bars."
plt.bar([1, 2], [3, 4])
plt.show()
```

## Nested {#sec-nested}

```{python}
#| label: fig-line
#| fig-cap: "A *line* with $\\\\alpha$, see @tbl-long."
#| fig-alt: "A rising line"
plt.figure(figsize=(3, 2))
plt.plot([1, 2])
plt.show()
```

```{python}
#| label: tbl-long
#| tbl-cap: "A long table."
head = "| name | value |\\n|:--|--:|\\n"
Markdown(head + "\\n".join(f"| row {i} | {i / 100:.2f} |" for i in range(90)))
```

```{python}
#| echo: true
#| code-fold: true
shown_code = "shown-output"
print(shown_code)
```

```{python}
#| output: false
print("hidden-output")
```

```{python}
#| eval: false
raise RuntimeError("must not run")
```

```{python}
#| output: asis
print("*as-is*")
```

::: {.panel-tabset}

### First tab

in the first

### Second tab

in the second

:::

# Close {.unnumbered}
"""


def make_project(folder: Path, text: str) -> Path:
    (folder / "_quarto.yml").write_text(PROJECT, encoding="utf-8")
    (folder / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    document = folder / "report.qmd"
    document.write_text(text, encoding="utf-8")
    return document


def plain_text(soup: BeautifulSoup) -> str:
    return re.sub(r"\s+", " ", soup.get_text())


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A rendered project: executed and written once, in an empty home folder."""
    folder = tmp_path_factory.mktemp("project")
    text = DOCUMENT.replace("LANG", "en").replace("INTERPRETER", repr(sys.executable))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("MPLBACKEND", "agg")
        preview.render(make_project(folder, text), folder / "_output" / "demo", "demo")
    return folder


@pytest.fixture(scope="module")
def page(project) -> BeautifulSoup:
    return BeautifulSoup((project / "_output/demo/report.html").read_text("utf-8"), "html.parser")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    work = tmp_path_factory.mktemp("work")
    with execution._kernel(work, "demo", work) as client:
        yield client


def write_pdf(markdown: str, folder: Path, **header: str) -> Path:
    """Writes the PDF of executed Markdown; returns its Typst source, which lies beside it."""
    document = make_project(folder, "")
    settings = {"title": "T", "bibliography": "references.bib", **header}
    metadata = json.dumps(preview._metadata(settings, "demo"))
    (folder / preview._METADATA).write_text(metadata, encoding="utf-8")
    pdf = preview._write_pdf(markdown, document, folder)
    assert pdf.read_bytes().startswith(b"%PDF")
    return pdf.with_suffix(".typ")


class TestHtml:
    def test_both_files_and_nothing_else(self, project):
        names = {path.name for path in (project / "_output/demo").iterdir()}
        assert names == {"report.html", "report.pdf"}

    def test_cells_run_once_for_both_formats(self, project):
        assert (project / "executions.txt").read_text().count("x") == 1

    def test_inline_values(self, page, project):
        text = plain_text(page)
        assert "Values 1,234, 42 and bold, a literal a_b*c*[d]." in text
        assert page.find("strong", string="bold")
        assert f"Profile demo, interpreter True, folder {project.name}." in text

    def test_references_carry_the_numbers_of_their_targets(self, page):
        text = plain_text(page)
        assert "See Figure 2, 1 and Section 1.1 (Hu and Shen 2021)." in text
        assert "Work: Hu and Shen (2021)." in text
        assert "points at Figure 2" in plain_text(page.find(class_="abstract"))
        for link in page.find_all("a", href=re.compile("^#")):
            assert page.find(id=link["href"][1:]), link

    def test_captions(self, page):
        figure = page.find(id="fig-line")
        caption = plain_text(figure.find("figcaption"))
        assert caption.startswith("Figure 2: A line with") and "see Table 1." in caption
        drawing = figure.find("svg", role="img")
        assert drawing["aria-label"] == "A rising line"
        assert not drawing.find("image") and not figure.find("img")
        table = page.find(id="tbl-long")
        assert plain_text(table.find("figcaption")) == "Table 1: A long table."
        assert len(table.find_all("tr")) == 91

    def test_contents_and_bibliography(self, page):
        entries = [plain_text(a).strip() for a in page.find(id="TOC").find_all("a")]
        assert entries == ["1 Opening", "1.1 Nested", "Close", "References"]
        assert "Low-Rank Adaptation" in plain_text(page.find(id="refs"))

    def test_conditional_content(self, page):
        text = plain_text(page)
        assert "only-in-html" in text and "only-in-demo" in text
        assert "only-in-pdf" not in text and "not-in-demo" not in text

    def test_chunk_options(self, page):
        text = plain_text(page)
        code = page.find("details")
        assert plain_text(code.find("summary")) == "Code" and "shown_code =" in plain_text(code)
        assert "shown-output" in text and page.find("em", string="as-is")
        for absent in ("never shown", "hidden-output", "must not run", "plt.bar", "#|"):
            assert absent not in text

    def test_tabs(self, page):
        tabs = page.find(class_="tabset")
        names = [plain_text(label) for label in tabs.find_all("label")]
        assert names == ["First tab", "Second tab"]
        assert len(tabs.find_all(class_="tab-panel")) == 2
        assert len(tabs.find_all("input", checked=True)) == 1

    def test_title_block(self, page):
        assert page.find("h1", class_="title").text == "A small report"
        assert page.find(class_="author").text == "Jane Doe, Group 7"

    def test_nothing_is_fetched(self, page):
        loaded = [tag.get("src") for tag in page.find_all(src=True)]
        loaded += [tag.get("href") for tag in page.find_all("link")]
        assert all(address.startswith("data:") for address in loaded)
        assert page.find("svg", role="img"), "no figure: the test would be vacuous"
        styles = "".join(style.text for style in page.find_all("style"))
        assert "prefers-color-scheme: dark" in styles
        assert not re.search(r"@import|url\((?!['\"]?data:)", styles)
        assert not page.find("script", src=True)


class TestPdf:
    TABLE = "| a | b |\n|:--|--:|\n" + "\n".join(f"| row {i} | {i} |" for i in range(120))

    def test_typst_counts_as_the_references_do(self, tmp_path):
        (tmp_path / "x.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0"/></svg>'
        )
        markdown = (
            "# One {#sec-one}\n\n::: {#fig-a}\n![](x.svg)\n\nFirst.\n:::\n\n"
            "![Second.](x.svg){#fig-b}\n\n::: {#tbl-a}\n\n" + self.TABLE + "\n\nThird.\n:::\n\n"
            "See @fig-b, @tbl-a and @sec-one [@hu2021]."
        )
        source = write_pdf(markdown, tmp_path, lang="ru")
        text = source.read_text("utf-8").replace("~", "\u00a0")
        for word in ("Рисунок\u00a02", "Таблица\u00a01", "Раздел\u00a01"):
            assert word in text
        kinds = re.findall(r'kind: "quarto-float-(\w+)", supplement: "(\w+)"', text)
        assert kinds == [("fig", "Рисунок"), ("fig", "Рисунок"), ("tbl", "Таблица")]

    def test_a_long_table_breaks_over_pages(self, tmp_path):
        float_ = "::: {#tbl-a}\n\n" + self.TABLE + "\n\nLong.\n:::"
        source = write_pdf(float_, tmp_path)
        pages = typst.compile(str(source), format="svg", root=str(tmp_path))
        assert isinstance(pages, list) and len(pages) >= 3

    def test_cyrillic_has_glyphs(self, tmp_path):
        source = write_pdf("# Ответы\n\nТекст, *курсив*, **жирный**, `код`.", tmp_path, lang="ru")
        _, warnings = typst.compile_with_warnings(
            str(source), output=str(tmp_path / "x.pdf"), root=str(tmp_path)
        )
        assert not [warning for warning in warnings if "font" in str(warning)]

    def test_conditional_content_and_tabs(self, tmp_path):
        markdown = (
            '[only-html]{.content-visible when-format="html"}'
            '[only-pdf]{.content-visible when-format="typst"}\n\n'
            "::: {.panel-tabset}\n\n## One\n\nfirst\n\n## Two\n\nsecond\n\n:::\n"
        )
        text = write_pdf(markdown, tmp_path).read_text("utf-8")
        assert "only-pdf" in text and "only-html" not in text
        assert text.index("first") < text.index("#strong[Two]") < text.index("second")


def test_the_kernel_ends_with_the_render(project):
    process = int((project / "kernel.txt").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_what_the_kernel_of_a_killed_render_still_writes_is_gone_at_the_end(tmp_path, monkeypatch):
    late, execute = tmp_path / "out" / ".render-999999999-x", preview.execute

    def write_late(*given):
        late.mkdir()
        return execute(*given)

    monkeypatch.setattr(preview, "execute", write_late)
    document = make_project(tmp_path, "---\ntitle: A\n---\n\n# One\n\nText.\n")
    preview.render(document, tmp_path / "out", "demo")
    assert (tmp_path / "out" / "report.html").is_file() and not late.exists()


@pytest.mark.parametrize(
    ("language", "value", "shown"),
    [
        ("en", "2026-03-09", "March 9, 2026"),
        ("ru", "2026-03-09", "9 марта 2026 г."),
        ("en", "spring", "spring"),
    ],
)
def test_dates(language, value, shown):
    assert preview._date(value, load_wording(language).texts["preview"]) == shown


def test_every_language_has_twelve_months():
    for language in LANGUAGES:
        assert len(load_wording(language).texts["preview"]["months"].split()) == 12


class TestErrors:
    def test_a_failing_chunk_is_named(self, kernel):
        chunk = reading.Chunk("#| label: bad\nx = 1\nx / 0", 10, {"label": "bad"})
        with pytest.raises(StudyError) as caught:
            execution._run(chunk, kernel, "report.qmd")
        assert caught.value.where == "report.qmd:12"
        assert "chunk 'bad' failed. ZeroDivisionError: division by zero" in str(caught.value)
        assert "Traceback" not in str(caught.value)

    def test_a_study_error_keeps_its_sentence(self, kernel):
        code = "class StudyError(Exception): pass\nraise StudyError('no corpus; get it by X')"
        with pytest.raises(StudyError, match=r"failed\. no corpus; get it by X$"):
            execution._run(reading.Chunk(code, 3, {}), kernel, "report.qmd")

    def test_a_syntax_error_has_a_line(self, kernel):
        with pytest.raises(StudyError, match="SyntaxError"):
            execution._run(reading.Chunk("x = (", 3, {}), kernel, "report.qmd")

    def test_a_failing_inline_expression_is_named(self, kernel):
        prose = reading.Prose("fine\n\n`{python} 1` and `{python} nowhere`", 20)
        with pytest.raises(StudyError, match="'nowhere' failed. NameError") as caught:
            execution._fill_in(prose, kernel, "report.qmd")
        assert caught.value.where == "report.qmd:22"

    @pytest.mark.parametrize(
        ("markdown", "message"),
        [
            ("See @fig-lost.", "@fig-lost is referred to"),
            ("Work: @nobody2020.", "nobody2020 not found"),
        ],
    )
    def test_a_reference_without_a_target(self, tmp_path, markdown, message):
        with pytest.raises(StudyError, match=message):
            write_pdf(markdown, tmp_path)

    def test_options_that_are_no_yaml(self):
        text = "# A\n\n```{python}\n#| label: x\n#| fig-cap: a: b: c\n1\n```\n"
        with pytest.raises(StudyError, match="expected YAML") as caught:
            reading.parse(text, "report.qmd", {})
        assert caught.value.where == "report.qmd:5"

    def test_a_label_used_twice(self):
        chunk = "```{python}\n#| label: x\n1\n```\n"
        with pytest.raises(StudyError, match="'x' is already used in line 2"):
            reading.parse(chunk + chunk, "report.qmd", {})

    def test_a_missing_document(self, tmp_path):
        with pytest.raises(StudyError, match="cannot be read"):
            preview.render(tmp_path / "no.qmd", tmp_path / "out", "demo")
        assert not (tmp_path / "out").exists()


class TestParse:
    def test_lines_and_options(self):
        text = "---\ntitle: x\n---\n\n```{python}\n#| label: a\n#| echo: true\n1\n```\n\nprose\n"
        first, chunk, last = reading.parse(text, "report.qmd", {"echo": False, "warning": False})
        assert isinstance(first, reading.Prose) and isinstance(last, reading.Prose)
        assert (chunk.line, chunk.label, chunk.code) == (6, "a", "1")
        assert chunk.options == {"label": "a", "echo": True, "warning": False}
        assert text.splitlines()[last.line - 1 :] == ["", "prose"]

    def test_other_fences_stay_prose(self):
        text = "```python\n1\n```\n\n````\n```{python}\nquoted\n```\n````\n"
        (prose,) = reading.parse(text, "report.qmd", {})
        assert prose == reading.Prose(text, 1)

    def test_a_block_without_an_end(self):
        with pytest.raises(StudyError, match="never closed") as caught:
            reading.parse("a\n\n```{python}\n1\n", "report.qmd", {})
        assert caught.value.where == "report.qmd:3"

    def test_settings_merge_project_profile_and_header(self, tmp_path):
        document = make_project(tmp_path, "---\nexecute: {echo: true}\n---\n")
        (tmp_path / "_quarto-demo.yml").write_text("lang: ru\nexecute: {include: false}\n")
        settings = reading.read_settings(document, document.read_text(), "demo")
        assert settings["execute"] == {"echo": True, "warning": False, "include": False}
        assert settings["lang"] == "ru" and settings["bibliography"] == "references.bib"


@pytest.mark.parametrize("profile", ["full", "single", "laptop", "demo"])
def test_the_projects_own_quarto_files(profile):
    root = Path(preview.__file__).parents[2]
    settings = reading.read_settings(root / "report.qmd", "", profile)
    assert settings["project"]["output-dir"] == f"_output/{profile}"
    assert settings["execute"]["daemon"] is False
    themes = settings["format"]["html"]["theme"]
    named = [*themes["light"], *themes["dark"], settings["format"]["typst"]["include-in-header"]]
    files = [root / name for name in named if os.sep in name]
    assert len(files) == 4 and all(path.is_file() for path in files)


FOLDERS = ["50%20off", "a:b", "a b", "a#b?c", "x'y", 'x"y', "ü-я", "-x", "$(touch owned)"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_a_project_in_a_folder_of_any_name_is_rendered(tmp_path: Path, name: str) -> None:
    """By pandoc and Typst themselves: a stand-in for run.py could not see what they refuse."""
    project = tmp_path / name
    ignored = shutil.ignore_patterns("__pycache__", "miniature")
    shutil.copytree(ROOT / "code", project / "code", ignore=ignored)
    (project / "_quarto.yml").write_text(PROJECT, encoding="utf-8")
    (project / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    (project / "report.qmd").write_text(
        "---\ntitle: x\n---\n\n```{python}\n#| label: fig-a\n#| fig-cap: Bars.\n"
        "import matplotlib.pyplot as plt\nplt.bar([1, 2], [3, 4])\nplt.show()\n```\n\n"
        "Kept: `{python} 6 * 7`. See @fig-a [@hu2021].\n",
        encoding="utf-8",
    )
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1] + '/code')\n"
        "from rendering.preview import render\n"
        "render(Path(sys.argv[1]) / 'report.qmd', Path(sys.argv[1]) / 'out', 'demo')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(project)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    page = (project / "out" / "report.html").read_text(encoding="utf-8")
    assert "Kept: 42." in page and "Low-Rank Adaptation" in page
    assert "<svg" in page, "the figure stands in the page"
    assert "sortable" in page.lower(), "so do the page's scripts"
    assert not re.search(r'(?:src|href)="(?!#|data:|https?:)', page)
    assert (project / "out" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert not list((project / "out").glob(".render-*")) and not list(tmp_path.rglob("owned"))
