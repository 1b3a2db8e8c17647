"""The dashboard in a real browser: a real server, every page, and nothing asked of the world outside."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

from gradviz.dashboards import launch
from gradviz.dashboards.views import VIEWS, ordered
from tests.synthetic import make_run

pytestmark = pytest.mark.browser

# A deep link makes Streamlit ask for these two below the page's own path before it finds them at the root.
HARMLESS = ("/_stcore/health", "/_stcore/host-config")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("runs")
    for name, family, clipped in (("rnn", "rnn", False), ("rnn-clip", "rnn", True), ("gru", "gru", False), ("lstm-clip", "lstm", True)):
        make_run(folder / name, family=family, clipped=clipped)
    port = launch.free_port()
    server = launch.start(folder, port)
    try:
        launch.wait_until_up(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


class Visit:
    """A page, what it asked for, and what it complained of."""

    def __init__(self, browser: Any, width: int = 1440, scheme: str = "light") -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self.note)

    def note(self, message: Any) -> None:
        if message.type == "error" and not (message.location or {}).get("url", "").endswith(HARMLESS):
            self.complaints.append(message.text)

    def go(self, url: str) -> Any:
        self.page.goto(url)
        self.settle()
        return self.page

    def settle(self) -> None:
        self.page.wait_for_selector("h1")
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)
        self.page.wait_for_timeout(400)

    def outside(self) -> list[str]:
        return [url for url in self.requests if urlparse(url).scheme not in ("data", "blob") and urlparse(url).hostname != "127.0.0.1"]


@pytest.fixture
def visit(chromium: Any) -> Iterator[Any]:
    made: list[Visit] = []

    def make(**settings: Any) -> Visit:
        made.append(Visit(chromium, **settings))
        return made[-1]

    yield make
    for item in made:
        item.context.close()


def path_of(view: str) -> str:
    return "" if view == next(iter(ordered())) else view


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_page_opens_in_peace(view: str, address: str, visit: Any) -> None:
    at = visit()
    page = at.go(f"{address}/{path_of(view)}")
    assert page.locator("h1").count() == 1
    assert page.locator("[data-testid=stException]").count() == 0
    if view != "findings":
        page.wait_for_selector(".js-plotly-plot .main-svg")
    assert at.complaints == []
    assert at.outside() == []


@pytest.mark.parametrize("view", list(VIEWS))
def test_no_page_scrolls_sideways_on_a_phone(view: str, address: str, visit: Any) -> None:
    page = visit(width=390, scheme="dark").go(f"{address}/{path_of(view)}")
    parts = "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
    wide = page.evaluate(f"{parts}.map(e => e.scrollWidth - e.clientWidth)")
    assert max(wide) <= 0


def test_headings_step_down_one_level_at_a_time(address: str, visit: Any) -> None:
    page = visit().go(f"{address}/gradient_flow")
    levels = [int(tag[1]) for tag in page.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(e => e.tagName)")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_deep_link_reproduces_the_view(address: str, visit: Any) -> None:
    at = visit()
    page = at.go(f"{address}/gradient_flow")
    page.locator("[data-testid=stSlider] [role=slider]").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**step=*")
    at.settle()
    there = visit().go(page.url)
    assert there.locator("h1").inner_text() == page.locator("h1").inner_text()
    handle = "[data-testid=stSlider] [role=slider]"
    assert there.locator(handle).get_attribute("aria-valuetext") == page.locator(handle).get_attribute("aria-valuetext")


def test_a_click_into_a_film_moves_the_step(address: str, visit: Any) -> None:
    at = visit()
    page = at.go(f"{address}/gradient_flow")
    film = page.locator(".st-key-figure-film .js-plotly-plot .plot").first
    film.scroll_into_view_if_needed()
    box = film.bounding_box()
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_url("**step=*", timeout=10_000)
    at.settle()
    steps = [int(part.removeprefix("step=")) for part in urlparse(page.url).query.split("&") if part.startswith("step=")]
    assert page.locator("[data-testid=stSlider] [role=slider]").get_attribute("aria-valuetext") == str(steps[0])


def test_evidence_leads_to_the_run_it_speaks_of(address: str, visit: Any) -> None:
    at = visit()
    page = at.go(address)
    card = page.locator("[data-testid=stPageLink] a", has_text="Evidence").first
    card.click()
    page.wait_for_url("**runs=*")
    at.settle()
    assert page.locator("[data-testid=stMultiSelect] [data-baseweb=tag]").count() == 1
    assert at.complaints == []


def test_figures_follow_the_theme(address: str, visit: Any) -> None:
    colours = []
    for scheme in ("light", "dark"):
        page = visit(scheme=scheme).go(f"{address}/clipping")
        page.wait_for_selector(".js-plotly-plot .main-svg")
        colours.append(page.eval_on_selector(".js-plotly-plot", "plot => plot.layout.paper_bgcolor"))
    assert len(set(colours)) == 2
