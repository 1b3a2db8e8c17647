"""The dashboard in a real browser: a real server, every page, and nothing asked of the world outside."""

import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from gradviz.backends.theme import colour
from gradviz.dashboards import launch
from gradviz.dashboards.views import VIEWS, ordered
from tests.synthetic import make_run

pytestmark = pytest.mark.browser

# A deep link makes Streamlit ask for these two below the page's own path before it finds them at the root.
SLIDER = "[data-testid=stSlider] input[type=range]"
HARMLESS = ("/_stcore/health", "/_stcore/host-config")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("runs")
    for name, family, clipped in (("rnn", "rnn", False), ("rnn-clip", "rnn", True), ("gru", "gru", False), ("lstm-clip", "lstm", True)):
        make_run(made / name, family=family, clipped=clipped)
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
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

    def __init__(self, context: Any) -> None:
        self.page = context.new_page()
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


@pytest.fixture(scope="module")
def contexts(chromium: Any) -> Iterator[Callable[[int, str], Any]]:
    """One browser context for each size and theme: the second visit finds Streamlit's own files in its cache."""
    made: dict[tuple[int, str], Any] = {}

    def context(width: int, scheme: str) -> Any:
        if (width, scheme) not in made:
            made[width, scheme] = chromium.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
        return made[width, scheme]

    yield context
    for item in made.values():
        item.close()


@pytest.fixture
def visit(contexts: Any) -> Iterator[Callable[..., Visit]]:
    made: list[Visit] = []

    def make(width: int = 1440, scheme: str = "light") -> Visit:
        made.append(Visit(contexts(width, scheme)))
        return made[-1]

    yield make
    for item in made:
        item.page.close()


def path_of(view: str) -> str:
    return "" if view == next(iter(ordered())) else view


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_page_opens_in_peace_and_fits_a_phone(view: str, address: str, visit: Any) -> None:
    at = visit()
    page = at.go(f"{address}/{path_of(view)}")
    assert page.locator("h1").count() == 1
    assert page.locator("[data-testid=stException]").count() == 0
    if VIEWS[view].shows_runs and view != "findings":
        page.wait_for_selector(".js-plotly-plot .main-svg")
    assert at.complaints == []
    assert at.outside() == []
    page.set_viewport_size({"width": 390, "height": 1000})
    at.settle()
    parts = "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
    assert max(page.evaluate(f"{parts}.map(part => part.scrollWidth - part.clientWidth)")) <= 0


def test_headings_step_down_one_level_at_a_time(address: str, visit: Any) -> None:
    page = visit().go(f"{address}/gradient_flow")
    levels = [int(tag[1]) for tag in page.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(e => e.tagName)")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def chosen_step(page: Any) -> int:
    return int(page.locator(SLIDER).get_attribute("aria-valuetext"))


def test_a_deep_link_reproduces_the_view(address: str, visit: Any) -> None:
    at = visit()
    page = at.go(f"{address}/gradient_flow")
    last = chosen_step(page)
    page.locator(SLIDER).focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**step=*")
    at.settle()
    assert chosen_step(page) < last
    there = visit().go(page.url)
    assert there.locator("h1").inner_text() == page.locator("h1").inner_text()
    assert chosen_step(there) == chosen_step(page)


def test_a_click_into_a_film_moves_the_step(address: str, visit: Any) -> None:
    at = visit()
    page = at.go(f"{address}/gradient_flow")
    last = chosen_step(page)
    film = page.locator(".st-key-figure-film .js-plotly-plot .nsewdrag").first
    film.scroll_into_view_if_needed()
    at.settle()
    box = film.bounding_box()
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_url("**step=*")
    at.settle()
    assert 0.1 * last < chosen_step(page) < 0.5 * last


def test_evidence_leads_to_the_run_it_speaks_of(address: str, visit: Any) -> None:
    at = visit()
    page = at.go(address)
    page.locator("[data-testid=stPageLink] a", has_text="Evidence").first.click()
    page.wait_for_url("**runs=*")
    at.settle()
    tag = page.locator("[data-testid=stMultiSelectTagsContainer] [data-tag]")
    assert tag.count() == 1
    assert parse_qs(urlparse(page.url).query)["runs"] == [tag.get_attribute("aria-label")]
    assert at.complaints == []


PAPER = "document.querySelector('.js-plotly-plot').layout.paper_bgcolor"


def test_figures_follow_the_theme_while_the_page_is_open(address: str, visit: Any) -> None:
    page = visit().go(f"{address}/clipping")
    page.wait_for_selector(".js-plotly-plot .main-svg")
    light = page.evaluate(PAPER)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{PAPER} !== '{light}'")
    assert page.evaluate(PAPER) == colour("paper", "dark")
    assert light == colour("paper", "light")


def test_a_run_that_appears_is_shown_without_a_reload(address: str, folder: Path, visit: Any) -> None:
    page = visit().go(f"{address}/findings")
    page.wait_for_selector("text=4 runs")
    make_run(folder / "new", family="gru", clipped=True)
    try:
        page.wait_for_selector("text=5 runs")
        assert page.locator("[data-testid=stException]").count() == 0
    finally:
        shutil.rmtree(folder / "new")
    page.wait_for_selector("text=4 runs")


EVIL = "<img id=evil src=x onerror=alert(1)> :red[x] $y$ **z**"


def test_a_hostile_name_stays_a_name(address: str, folder: Path, visit: Any) -> None:
    make_run(folder / EVIL, family="gru")  # the second of its kind: both are told apart by their names
    try:
        for view in ("", "gates"):
            at = visit()
            dialogs: list[Any] = []
            at.page.on("dialog", lambda dialog, seen=dialogs: (seen.append(dialog), dialog.dismiss()))
            page = at.go(f"{address}/{view}")
            page.wait_for_selector(".js-plotly-plot .main-svg")
            assert page.locator("#evil").count() == 0
            assert dialogs == []
            assert at.outside() == []
    finally:
        shutil.rmtree(folder / EVIL)
