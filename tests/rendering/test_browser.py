"""The report's page in a real browser: Debian's Chromium by Playwright, with axe-core injected."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facts.fact import Fact
from facts.files import read_facts
from rendered import Rendered
from rendering.preview import render
from rendering.report import embed_facts
from verification.pages import read_page, read_pdf
from waiting import PATIENCE
from words.numbers import Numbers
from words.wording import load_wording

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
# The page has been drawn twice: what was scheduled before, has happened.
DRAWN = """new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
  () => setTimeout(done, 300))))"""
WIDTHS = (360, 768, 1440)
# Rules of best practice that no reader feels: everything of WCAG 2.1 A and AA is checked.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
OVERFLOWING = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = e => e && e !== document.body &&
    (['auto', 'scroll'].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  return [...document.querySelectorAll('main *, body > *')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width && (box.right > wide + 1 || box.left < -1) && !scrolls(e) &&
      !e.closest('svg') && getComputedStyle(e).position !== 'absolute';
  }).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 60));
}"""

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (PyPI)")
axe = pytest.importorskip("axe_core_python.sync_playwright", reason="needs axe-core-python (PyPI)")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"needs a Chromium: none at {CHROMIUM} (CHROMIUM names another)"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


class Page:
    """An open page with everything that it complained about."""

    def __init__(self, browser: Any, file: Path, width: int, scheme: str, hash: str = ""):
        self.complaints: list[str] = []
        self.requests: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        context.set_default_timeout(1000 * PATIENCE)
        self.page = context.new_page()
        self.page.on("console", lambda message: self._console(message))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri() + hash)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def choose(self, name: str, value: str) -> None:
        self.page.select_option(f"#study-explorer select[name={name}]", value)

    def summary(self) -> str:
        return str(self.page.inner_text("#study-explorer .summary"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_sound_at_every_width_in_both_modes(
    rendered: Rendered, browser: Any, width: int, scheme: str
) -> None:
    opened = Page(browser, rendered.page, width, scheme)
    opened.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    opened.page.evaluate(DRAWN)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert opened.page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1"
    )
    assert opened.page.evaluate(OVERFLOWING) == []
    found = axe.Axe().run(
        opened.page,
        # What is inside a picture is no content of its own, and there are tens of thousands of it.
        context={"exclude": [["svg[role=img] > *"]]},
        options={"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]},
    )
    assert len(found["passes"]) > 10  # or nothing was looked at
    faults = [
        (rule["id"], node["html"][:200], node.get("failureSummary", "")[:300])
        for rule in found["violations"]
        for node in rule["nodes"][:3]
    ]
    assert faults == []


def test_figures_have_alternative_texts_and_references_targets(
    rendered: Rendered, browser: Any
) -> None:
    page = Page(browser, rendered.page, 1024, "light").page
    names = page.eval_on_selector_all(
        ":is(.float-fig, .quarto-float-fig) svg[role=img]",
        "all => all.map(e => e.getAttribute('aria-label') || '')",
    )
    assert len(names) >= 10 and min(map(len, names)) > 60 and len(set(names)) == len(names)
    dead = page.evaluate(
        """() => [...document.querySelectorAll("a[href^='#']")]
             .filter(a => !document.getElementById(decodeURIComponent(a.hash.slice(1))))
             .map(a => a.hash)"""
    )
    assert dead == []
    doubled = page.evaluate(
        """() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
                   return ids.filter((id, i) => ids.indexOf(id) !== i); }"""
    )
    assert doubled == []


CUT = """() => [...document.querySelectorAll('main table, body > * table')].filter(table => {
  const scrolls = e => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
  let part = table.parentElement;
  while (part && !scrolls(part)) part = part.parentElement;
  return part && part.scrollWidth > part.clientWidth + 1;
}).map(table => (table.closest('[id^=tbl-]') || table).id)"""
MAIN_TABLES = {"tbl-cola", "tbl-pos", "tbl-drift"}


@pytest.mark.parametrize("width", [1440, 1920])
def test_main_tables_are_not_cut_where_there_is_room(
    rendered: Rendered, browser: Any, width: int
) -> None:
    page = Page(browser, rendered.page, width, "light").page
    shown = page.eval_on_selector_all("[id^=tbl-]:has(table)", "all => all.map(e => e.id)")
    assert set(shown) >= MAIN_TABLES
    assert MAIN_TABLES & set(page.evaluate(CUT)) == set()


def test_a_phone_has_contents(rendered: Rendered, browser: Any) -> None:
    page = Page(browser, rendered.page, 360, "light").page
    folded = page.locator(".folded-contents summary")
    if folded.count():  # Quarto's page; the other shows its contents above the text
        folded.click()
    shown = "links => links.filter(a => a.offsetHeight).map(a => a.hash)"
    reached = page.eval_on_selector_all("#TOC a, .folded-contents a", shown)
    assert len(reached) > 30 and "#sec-answer-quality" in reached


def test_figures_follow_the_dark_page(rendered: Rendered, browser: Any) -> None:
    def ink(scheme: str) -> str:
        page = Page(browser, rendered.page, 1024, scheme).page
        return str(
            page.evaluate(
                "getComputedStyle(document.querySelector("
                "'figure svg[role=img] [style*=\"fill: #222222\"]')).fill"
            )
        )

    assert ink("light") == "rgb(34, 34, 34)" and ink("dark") == "rgb(221, 227, 234)"


def test_contents_follow_the_scroll_and_references_show_their_caption(
    rendered: Rendered, browser: Any
) -> None:
    page = Page(browser, rendered.page, 1440, "light").page
    third = "document.querySelectorAll(':is(h2, section.level2)[id]:not(#toc-title)')[3]"
    page.evaluate(f"{third}.scrollIntoView({{behavior: 'instant'}})")
    heading = page.evaluate(f"{third}.id")
    page.wait_for_selector(f"#TOC :is([aria-current], a.active)[href='#{heading}']")
    assert page.locator("#TOC").locator("[aria-current], a.active").count() == 1
    link = page.locator("p a[href^='#fig-']").first
    link.focus()
    caption = page.evaluate(
        "h => document.querySelector(h + ' figcaption').textContent", link.get_attribute("href")
    )
    shown = page.locator(".peek, .tippy-content").first  # the second is Quarto's
    assert " ".join(caption.split()) in " ".join(shown.inner_text().split())


def test_long_tables_are_sorted_by_the_number_in_a_cell(rendered: Rendered, browser: Any) -> None:
    page = Page(browser, rendered.page, 1440, "light").page
    table = "#tbl-pos-causes"
    column = f"[...document.querySelector('{table} tbody').rows].map(r => r.cells[1].dataset.sort)"
    before = page.evaluate(column)
    page.click(f"{table} th:nth-child(2) button")
    page.wait_for_selector(f"{table} th:nth-child(2)[aria-sort]")
    after = page.evaluate(column)
    numbers = [float(value) for value in after if value]
    assert sorted(before, key=str) == sorted(after, key=str)
    assert len(numbers) > 5 and numbers == sorted(numbers, reverse=True)


def test_a_phone_begins_with_the_text_and_appendices_open_by_a_link(
    rendered: Rendered, browser: Any
) -> None:
    page = Page(browser, rendered.page, 360, "light").page
    first = page.locator(":is(main, body) > :is(p, section p)").first
    assert page.evaluate("e => e.getBoundingClientRect().top", first.element_handle()) < 900
    folded = page.locator("details.appendix")
    table = folded.locator("[id^=tbl-]:has(table)").first
    assert folded.count() >= 5 and not table.is_visible()
    page.evaluate("e => { location.hash = '#' + e.id }", table.element_handle())
    page.wait_for_timeout(100)
    assert table.is_visible()


def test_the_page_switches_its_theme(rendered: Rendered, browser: Any) -> None:
    page = Page(browser, rendered.page, 1024, "light").page
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator(".theme, .quarto-color-scheme-toggle").first.click()
    page.wait_for_timeout(100)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


# ----------------------------------------------------------------------------------------- numbers


INTERVAL = "[80.0,\N{NO-BREAK SPACE}95.0]"  # its two numbers stay on one line


@pytest.fixture(scope="module")
def numbers_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a paragraph of three numbers and a table of six."""
    folder = tmp_path_factory.mktemp("numbers")
    numbers = Numbers(load_wording("en"))
    facts = [
        Fact(
            quantity="score", method=f"<b>{n}</b>", metric="accuracy", value=0.9 + n / 1000,
            low=0.8, high=0.95, covers="items", n=220, seeds=2, entry="evidence/cola-0",
        )
        for n in range(6)
    ]  # fmt: skip
    first, second = (numbers.value(fact) for fact in facts[:2])
    rows = "\n".join(f"| row | {numbers.value(fact, bare=True)} |" for fact in facts)
    text = f"Here are {first} and {second} with {numbers.interval(facts[0])}.\n\n"
    table = f"| what | number |\n|:--|--:|\n{rows}\n\n: A table. {{#tbl-x}}\n\n"
    document = (
        f"---\ntitle: t\nlang: en\n---\n\n{text}{table}{embed_facts(numbers.shown.values())}\n"
    )
    (folder / "x.qmd").write_text(document, encoding="utf-8")
    render(folder / "x.qmd", folder / "out", "none")
    return folder / "out" / "x.html"


def test_numbers_are_data_on_the_page_and_plain_text_in_the_pdf(numbers_page: Path) -> None:
    page = read_page(numbers_page)
    assert [mark.text for mark in page.marks[:3]] == ["90.0%", "90.1%", INTERVAL]
    assert [mark.column for mark in page.marks[:3]] == ["value", "value", "interval"]
    html = numbers_page.read_text(encoding="utf-8")
    assert html.count('<data value="0.9" ') == 2 and '<data value="0.8/0.95" ' in html
    assert len(page.facts) == 6 and html.count('id="shown-facts"') == 1
    pdf = " ".join(read_pdf(numbers_page.with_suffix(".pdf")))
    assert "here are 90.0 and 90.1 with 80.0 95.0" in pdf


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_a_number_answers_for_itself(
    numbers_page: Path, browser: Any, width: int, scheme: str
) -> None:
    opened = Page(browser, numbers_page, width, scheme)
    page, told = opened.page, opened.page.locator("#peek")
    page.locator("data").first.hover()
    shown = " ".join(told.inner_text().split())
    for part in ("<b>0</b>", "0.9", "[0.8; 0.95]", "items", "220", "evidence/cola-0"):
        assert part in shown
    box = told.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    found = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    assert [rule["id"] for rule in found["violations"]] == []
    page.keyboard.press("Escape")
    assert told.count() == 0
    assert opened.complaints == []


def test_a_table_or_paragraph_is_one_stop_of_the_keyboard(numbers_page: Path, browser: Any) -> None:
    page = Page(browser, numbers_page, 1440, "light").page
    assert page.locator("data[tabindex='0']").count() == 2
    page.locator("data").first.focus()
    current = "document.activeElement.textContent"
    texts = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
        texts.append(page.evaluate(current))
        assert page.locator("#peek").count() == 1
    assert texts == ["90.1%", INTERVAL, INTERVAL, "90.1%"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('table') !== null")
    page.keyboard.press("Escape")
    assert page.locator("#peek").count() == 0


def test_a_touch_shows_and_the_next_one_elsewhere_hides(numbers_page: Path, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(numbers_page.as_uri())
    page.locator("data").nth(1).tap()
    page.wait_for_timeout(600)
    assert page.locator("#peek").count() == 1
    page.locator("h1").first.tap()
    assert page.locator("#peek").count() == 0


# ---------------------------------------------------------------------------------------- explorer


def test_the_explorer_shows_what_is_chosen(rendered: Rendered, browser: Any) -> None:
    opened = Page(browser, rendered.page, 1024, "light")
    first = opened.summary()
    assert any(character.isdigit() for character in first)
    seen = {first}
    for view in ("tradeoff", "curves", "drift"):
        opened.choose("view", view)
        assert opened.page.get_attribute("#study-explorer .chart svg", "aria-label")
        seen.add(opened.summary())
    opened.choose("task", "pos")
    seen.add(opened.summary())
    opened.choose("view", "tags")
    seen.add(opened.summary())
    assert len(seen) == 6
    every = opened.page.locator("#study-explorer .chart svg circle").count()
    opened.choose("method", "full")
    assert 0 < opened.page.locator("#study-explorer .chart svg circle").count() < every
    assert opened.complaints == []


def test_the_explorer_keeps_its_state_in_the_address(rendered: Rendered, browser: Any) -> None:
    opened = Page(browser, rendered.page, 1024, "light")
    opened.choose("view", "drift")
    opened.choose("metric", "relative")
    address = opened.page.url
    again = Page(browser, rendered.page, 1024, "light", address[address.index("#") :])
    assert again.summary() == opened.summary()
    assert again.page.input_value("#study-explorer select[name=metric]") == "relative"


def test_the_first_view_equals_a_printed_figure(rendered: Rendered, browser: Any) -> None:
    opened = Page(browser, rendered.page, 1024, "light")
    with opened.page.expect_download() as waiting:
        opened.page.click("#study-explorer button[data-format=json]")
    content = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    facts = read_facts(rendered.folder / "facts.csv")
    assert content["choice"]["metric"] == "cola:validation|matthews_correlation"
    for row in content["rows"]:
        key = {name: row[name] for name in ("task", "evaluation", "metric", "method")}
        fact = facts.one("score", **key)
        shown = (row["value"], row["low"], row["high"])
        assert shown == pytest.approx((fact.value, fact.low, fact.high), abs=1e-5)
    assert len(content["rows"]) > 2


def test_the_table_downloads_as_csv(rendered: Rendered, browser: Any) -> None:
    opened = Page(browser, rendered.page, 1024, "light")
    opened.choose("view", "curves")
    with opened.page.expect_download() as waiting:
        opened.page.click("#study-explorer button[data-format=csv]")
    rows = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    header = rows[0].split(",")
    assert {"method", "step", "value"} <= set(header) and len(rows) > 8
    assert all(float(row.split(",")[header.index("value")]) is not None for row in rows[1:])


def test_the_explorer_is_usable_by_keyboard(rendered: Rendered, browser: Any) -> None:
    opened = Page(browser, rendered.page, 1024, "light")
    before = opened.summary()
    opened.page.focus("#study-explorer select[name=view]")
    opened.page.keyboard.press("ArrowDown")
    told = "said => document.querySelector('#study-explorer .summary').innerText !== said"
    opened.page.wait_for_function(told, arg=before)
    opened.page.keyboard.press("Tab")
    focused = opened.page.evaluate("document.activeElement.name")
    assert focused in ("task", "metric")  # a view of one task offers no choice of tasks
