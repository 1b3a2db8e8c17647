"""A report in a real browser: nothing is fetched, everything is drawn, and every control does what it says."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gradviz.frames import load_runs
from gradviz.reports import report
from gradviz.reports.lesson import lesson
from tests.synthetic import Variant, make_run

pytestmark = pytest.mark.browser

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
HOSTILE = "</script><script>window.hurt=1</script><img src=x onerror=window.hurt=1>"
TURNED = "\u202e\u2067gnp.exe\x07\x00"
Opener = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two runs: every kind of figure, few panels, so that it is drawn quickly."""
    folder = tmp_path_factory.mktemp("runs")
    for family, clipped in (("rnn", False), ("lstm", True)):
        make_run(folder / family, family=family, clipped=clipped, steps=12, variant=Variant(time=24))
    return report(load_runs(folder), "demo", now=NOW).write(tmp_path_factory.mktemp("report") / "report.html")


class Opened:
    """A page from the disk that has been drawn; what it asked for and what it complained of."""

    def __init__(self, chromium: Any, path: Path, width: int = 1440, scheme: str = "light") -> None:
        self.context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
        self.path, self.page, self.asked, self.complaints = path, self.context.new_page(), list[str](), list[str]()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]", timeout=60_000)

    def at_peace(self) -> None:
        assert [url for url in self.asked if not url.startswith(("data:", "blob:"))] == [self.path.as_uri()]
        assert self.complaints == []


@pytest.fixture
def opened(chromium: Any) -> Opener:
    """Opens a page, and holds requests and console errors to none at the end."""

    @contextmanager
    def visit(path: Path, *, width: int = 1440, scheme: str = "light") -> Iterator[Any]:
        at = Opened(chromium, path, width, scheme)
        yield at.page
        at.at_peace()
        at.context.close()

    return visit


@pytest.fixture(scope="module")
def standing(chromium: Any, demo: Path) -> Iterator[Callable[[str], Opened]]:
    made: dict[str, Opened] = {}

    def at(scheme: str) -> Opened:
        if scheme not in made:
            made[scheme] = Opened(chromium, demo, scheme=scheme)
        return made[scheme]

    yield at
    for one in made.values():
        one.context.close()


@pytest.fixture
def desk(standing: Callable[[str], Opened]) -> Callable[..., AbstractContextManager[Any]]:
    """The report, drawn once for all tests that leave it as they found it."""

    @contextmanager
    def visit(scheme: str = "light") -> Iterator[Any]:
        at = standing(scheme)
        yield at.page
        at.at_peace()

    return visit


def test_every_figure_is_drawn(desk: Opener) -> None:
    with desk() as page:
        plots = page.locator(".plot")
        assert plots.count() >= 10
        for plot in plots.all():
            assert plot.locator(".main-svg").count() > 0
            assert "waiting" not in (plot.get_attribute("class") or "")
            box = plot.bounding_box()
            assert box["width"] > 400
            assert box["height"] > 100


def test_an_exact_zero_has_its_colour(opened: Opener, tmp_path: Path) -> None:
    with opened(lesson("notation", now=NOW).write(tmp_path / "lesson.html")) as page:
        scales = page.evaluate("() => [...document.querySelectorAll('.plot')].flatMap(plot => plot.data.map(one => one.colorscale))")
    assert [[0, "#000000"], [1, "#000000"]] in scales
    assert "@" not in json.dumps(scales)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_switch_recolours_page_and_figures(desk: Opener, scheme: str) -> None:
    papers = {"light": "rgb(251, 250, 247)", "dark": "rgb(21, 24, 28)"}
    other = "dark" if scheme == "light" else "light"
    look = "() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('.plot .main-svg')).background]"
    with desk(scheme) as page:
        body, plot = page.evaluate(look)
        assert body == papers[scheme]
        assert papers[scheme] in plot
        page.locator(f"input[name=theme][value={other}]").check(force=True)
        body, plot = page.evaluate(look)
        assert body == papers[other]
        assert papers[other] in plot
        page.locator("input[name=theme][value='']").check(force=True)
        assert page.evaluate(look)[0] == papers[scheme]


def test_slider_moves_the_waterfall(desk: Opener) -> None:
    drawing = "() => document.querySelector('#figure-1 .plot').data.map(t => JSON.stringify([t.y, t._length]))"
    with desk() as page:
        last, first_words = page.evaluate(drawing), page.locator("#figure-1 output").inner_text()
        slider = page.locator("#figure-1 input[type=range]")
        slider.focus()
        slider.press("Home")
        assert page.locator("#figure-1 output").inner_text() == "0" != first_words
        assert page.evaluate(drawing) != last
        assert slider.get_attribute("aria-valuetext") == "training step 0"
        slider.press("End")
        assert page.evaluate(drawing) == last


def test_play_runs_from_the_start_to_the_end(desk: Opener) -> None:
    with desk() as page:
        last = page.locator("#figure-1 output").inner_text()
        button = page.locator("#figure-1 .play")
        button.click()
        assert button.inner_text() == "Pause"
        page.wait_for_function("() => document.querySelector('#figure-1 .play').textContent === 'Play'", timeout=20_000)
        assert page.locator("#figure-1 output").inner_text() == last


REDRAWN = "() => [...document.querySelectorAll('.plot')].every(plot => +plot.dataset.width === plot.clientWidth)"
WIDEST = "Math.max(...[...document.querySelectorAll('.plot')].map(plot => plot.data && plot.layout.width))"


def test_a_narrower_window_redraws_and_nothing_scrolls_sideways(opened: Opener, demo: Path) -> None:
    with opened(demo, width=1024) as page:
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        for width in (1024, 768, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(REDRAWN, timeout=30_000)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert 200 < page.evaluate(WIDEST) < width


def test_headings_language_title_and_landmarks(desk: Opener) -> None:
    with desk() as page:
        assert page.evaluate("document.documentElement.lang") == "en"
        assert page.title().endswith("· gradviz")
        assert page.locator("main").count() == 1
        assert page.locator("h1").count() == 1
        levels = page.evaluate("[...document.querySelectorAll('main h1, main h2, main h3, main h4')].map(h => +h.tagName[1])")
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        broken = page.evaluate(
            "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.querySelector(a.hash)).map(a => a.hash)"
        )
        assert broken == []
        nameless = "e => !(e.textContent.trim() || e.labels?.length || e.closest('.modebar'))"  # plotly's own buttons have a data-title
        assert page.evaluate(f"[...document.querySelectorAll('button, input, summary, a')].filter({nameless}).length") == 0


def test_the_csv_holds_every_row(desk: Opener, tmp_path: Path) -> None:
    with desk() as page:
        details = page.locator("#figure-1 details.data")
        details.locator("summary").click()
        said = int(details.locator("summary").inner_text().split("(")[1].split()[0])
        with page.expect_download() as download:
            details.locator(".csv").click()
        download.value.save_as(tmp_path / "figure.csv")
        lines = (tmp_path / "figure.csv").read_text().splitlines()
        assert len(lines) == said + 1
        details.locator("summary").click()


def test_the_picture_can_be_saved(desk: Opener, tmp_path: Path) -> None:
    with desk() as page:
        page.locator("#figure-1 details.data summary").click()
        with page.expect_download() as download:
            page.locator("#figure-1 .picture").click()
        download.value.save_as(tmp_path / "figure.svg")
        assert "<svg" in (tmp_path / "figure.svg").read_text()
        page.locator("#figure-1 details.data summary").click()


def test_hostile_names_and_tokens_do_nothing(opened: Opener, tmp_path: Path) -> None:
    """A run's name, its task's, and the words it has read: tags, the end of a script, marks that turn the direction, control characters."""
    file = make_run(tmp_path / "one", family="lstm", steps=4, variant=Variant(time=24)) / "run.json"
    meta = json.loads(file.read_text())
    meta["probe"]["words"] = [[HOSTILE, "\u202e", "\x07", "\ud800", "</script>", "&lt;"] * 4 for _ in meta["probe"]["words"]]
    file.write_text(json.dumps(meta))
    runs = load_runs(tmp_path)
    runs[0].meta["name"] = HOSTILE
    runs[0].meta["experiment"]["task"]["name"] = HOSTILE + TURNED
    path = report(runs, "full", now=NOW).write(tmp_path / "report.html")
    with opened(path) as page:
        assert page.evaluate("window.hurt") is None
        assert page.locator("img").count() == 0
        assert HOSTILE in page.locator("#settings").inner_text()
        drawn = page.evaluate("[...document.querySelectorAll('.plot text')].map(one => one.textContent).join('')")
        assert not set(drawn) & {"\u202e", "\x07"}
        turned = page.evaluate("[...document.querySelectorAll('main *')].filter(one => getComputedStyle(one).direction === 'rtl').length")
        assert turned == 0


def test_a_script_slipped_into_the_page_does_not_run(chromium: Any, demo: Path, tmp_path: Path) -> None:
    """The policy allows only the two scripts of the page: what escaping might miss, the browser refuses."""
    path = tmp_path / "tampered.html"
    path.write_text(demo.read_text().replace("</main>", "<script>window.hurt=1</script><img src=x onerror='window.hurt=1'></main>"))
    page = chromium.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=20_000)
    assert page.evaluate("window.hurt") is None
    page.close()


def test_print_redraws_in_light_and_at_the_last_step(desk: Opener) -> None:
    with desk("dark") as page:
        page.locator("#figure-1 input[type=range]").press("Home")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("#figure-1 output").inner_text() != "0"
        assert page.evaluate("document.querySelector('#figure-1 .plot').layout.paper_bgcolor") == "#ffffff"
        widths = page.evaluate("[...document.querySelectorAll('.plot')].map(plot => plot._fullLayout.width)")
        assert set(widths) == {680}, "a wider picture would shrink the whole document"
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("#figure-1 output").inner_text() == "0"
        assert page.evaluate("document.querySelector('#figure-1 .plot').layout.paper_bgcolor") == "#15181c"
        page.locator("#figure-1 input[type=range]").press("End")
