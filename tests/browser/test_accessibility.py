"""Pages for everybody: axe-core finds nothing to complain of, in any theme, wide and narrow, with scripts and without."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gradviz.frames import load_runs
from gradviz.reports import report
from tests.synthetic import Variant, make_run

pytestmark = pytest.mark.browser

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for family, clipped in (("rnn", False), ("lstm", True)):
        make_run(folder / family, family, clipped, steps=12, variant=Variant(time=24))
    make_run(folder / "adding", "gru", True, "adding", steps=12, variant=Variant(time=24, bad_from=5))
    runs, out = load_runs(folder), tmp_path_factory.mktemp("pages")
    of_text = [run for run in runs if run.meta.get("lag") is None]
    made = {"full": report(of_text, "full", now=NOW), "static": report(runs, "demo", static=True, now=NOW)}
    return {name: one.write(out / f"{name}.html") for name, one in made.items()}


@pytest.fixture(scope="session")
def axe() -> Any:
    return pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs axe-playwright-python: pip install -e '.[test]'"
    ).Axe()


SAID = ["violations"]  # of the other results one example each
LESS = """document.querySelectorAll('svg').forEach(picture => picture.replaceChildren());
document.querySelectorAll('table').forEach(table => {
  const seen = new Set(), look = part => {
    const style = getComputedStyle(part);
    return [part.tagName, part.className, style.color, style.backgroundColor, style.opacity, style.fontSize, style.fontWeight];
  };
  for (const row of [...table.rows]) {
    const said = [...row.cells].map(cell => [row, cell, ...cell.querySelectorAll('*')].map(look));
    const kind = JSON.stringify(said);
    if (seen.has(kind)) row.remove();
    seen.add(kind);
  }
})"""


def found_by(axe: Any, page: Any) -> dict[str, Any]:
    """axe's results of a whole page. Contrast takes most of the time, so it is looked at where axe can: never in a picture's own text, that
    it lays aside as undecided, and in one of the rows of a table that have all the same colours, weights and sizes."""
    rest = axe.run(page, options={"resultTypes": SAID, "rules": {"color-contrast": {"enabled": False}}}).response
    page.evaluate(LESS)
    contrast = axe.run(page, options={"resultTypes": SAID, "runOnly": ["color-contrast"]}).response
    return {kind: rest[kind] + contrast[kind] for kind in ("passes", "violations")}


PLACES = [("full", 1440, "light"), ("static", 390, "dark")]


@pytest.mark.parametrize(("name", "width", "scheme"), PLACES)
def test_axe_finds_no_violation(name: str, width: int, scheme: str, pages: dict[str, Path], chromium: Any, axe: Any) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(pages[name].as_uri())
    if name != "static":
        page.wait_for_selector("html[data-ready]", timeout=60_000)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = found_by(axe, page)
    assert len(found["passes"]) > 30, "axe looked at something"
    assert "color-contrast" in {one["id"] for one in found["passes"]}
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_without_scripts_the_theme_can_be_chosen_all_the_same(scheme: str, pages: dict[str, Path], chromium: Any) -> None:
    papers, other = {"light": "rgb(251, 250, 247)", "dark": "rgb(21, 24, 28)"}, {"light": "dark", "dark": "light"}[scheme]
    context = chromium.new_context(color_scheme=scheme, java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["static"].as_uri())
    body = page.locator("body")
    assert background(body) == papers[scheme]
    page.locator(f"input[name=theme][value={other}]").check(force=True)
    assert background(body) == papers[other]
    page.locator("input[name=theme][value='']").check(force=True)
    assert background(body) == papers[scheme]
    context.close()


def background(element: Any) -> str:
    return str(element.evaluate("one => getComputedStyle(one).backgroundColor"))


def test_axe_would_find_something(pages: dict[str, Path], chromium: Any, axe: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    text = pages["static"].read_text(encoding="utf-8")
    broken.write_text(text.replace('<html lang="en">', "<html>").replace("<title>", "<x-title>", 1), encoding="utf-8")
    context = chromium.new_context()
    page = context.new_page()
    page.goto(broken.as_uri())
    rules = {"html-has-lang", "document-title"}
    found = axe.run(page, options={"runOnly": {"type": "rule", "values": sorted(rules)}})
    assert {one["id"] for one in found.response["violations"]} == rules
    context.close()


@pytest.mark.parametrize("name", ["full", "static"])
def test_every_control_can_be_reached_and_used_with_the_keyboard(name: str, pages: dict[str, Path], chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(pages[name].as_uri())
    if name != "static":
        page.wait_for_selector("html[data-ready]", timeout=60_000)
    seen = "one => one.checkVisibility({contentVisibilityAuto: true})"
    wanted = "main input, main select, main summary, .theme input:checked"
    controls = page.evaluate(f"() => [...document.querySelectorAll('{wanted}')].filter({seen}).length")
    assert controls > 10
    reached = tabbed(page, 400)
    assert len([one for one in reached if one in ("INPUT", "SELECT", "SUMMARY")]) >= controls
    context.close()


def tabbed(page: Any, most: int) -> list[str]:
    """What the Tab key comes to, from the top of the page to its end, each once."""
    page.evaluate("window.reached = new Set(); addEventListener('focusin', event => reached.add(event.target))")
    before, steps = -1, 20  # so many at once: asking after each takes longer than the key does
    for count in range(0, most + 1, steps):
        reached = page.evaluate("reached.size")
        if reached == before or reached < count:  # the end of the page was passed
            break
        before = reached
        for _ in range(steps):
            page.keyboard.press("Tab")
    return list(page.evaluate("[...reached].map(one => one.tagName)"))
