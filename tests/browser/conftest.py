"""A headless Chromium and a dashboard for all tests in this folder; each process starts one of both."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

from gradviz.dashboards import launch
from gradviz.dashboards.views import ordered
from tests.synthetic import make_run

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A playwright Browser. CHROMIUM names another executable than the first one found."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright: pip install -e '.[test]'")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path:
        pytest.skip("browser tests need Chromium: apt-get install chromium, or name one in CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs on text. A test that adds one takes it away again."""
    made = tmp_path_factory.mktemp("runs")
    for name, family, clipped in (("rnn", "rnn", False), ("rnn-clip", "rnn", True), ("gru", "gru", False), ("lstm-clip", "lstm", True)):
        make_run(made / name, family=family, clipped=clipped)
    return made


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a dashboard of its own, which ends with the block."""
    port = launch.free_port()
    server = launch.start(folder, port)
    try:
        launch.wait_until_up(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as there:
        yield there


# A deep link makes Streamlit ask for these two below the page's own path before it finds them at the root.
HARMLESS = ("/_stcore/health", "/_stcore/host-config")
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
DRAWN = """() => {
    const places = [...document.querySelectorAll('[data-testid=stPlotlyChart]')].filter(place => place.offsetParent !== null);
    const drawings = places.map(place => place.querySelector('.js-plotly-plot .main-svg'));
    const width = part => part.getBoundingClientRect().width;
    return document.querySelector('[data-testid=stSkeleton], [data-stale=true]') === null
        && drawings.every(drawing => drawing && Math.abs(width(drawing) - width(drawing.closest('.js-plotly-plot'))) < 1);
}"""
FITS = """() => [document.documentElement, document.querySelector('[data-testid=stMain]')]
    .every(part => part.scrollWidth <= part.clientWidth && part.clientWidth <= innerWidth)"""


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
        """Opens an address as a new reader does."""
        self.page.goto(url)
        self.settle()
        return self.page

    def turn(self, view: str) -> Any:
        """Turns to another page by the navigation, as a reader does who is there already."""
        if self.page.locator(f".st-key-page-{view}").count():  # it would give no sign of being run anew: what is met might be replaced
            self.turn(next(name for name in ordered() if name != view and not ordered()[name].shows_runs))
        path = "" if view == next(iter(ordered())) else view
        self.page.evaluate(f"document.querySelector('[data-testid=stSidebarNavLink][href$=\"/{path}\"]').click()")
        self.page.wait_for_selector(f".st-key-page-{view}", state="attached")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Until the script has run and every figure has the width of its place."""
        self.page.wait_for_selector("h1")
        self.page.wait_for_selector(SETTLED, timeout=60_000)
        self.page.wait_for_function(DRAWN, timeout=60_000)

    def outside(self) -> list[str]:
        return [url for url in self.requests if urlparse(url).scheme not in ("data", "blob") and urlparse(url).hostname != "127.0.0.1"]


@pytest.fixture(scope="session")
def contexts(chromium: Any) -> Iterator[Callable[[int, str], Any]]:
    """One browser context for each width and theme: the second visit finds Streamlit's own files in its cache."""
    made: dict[tuple[int, str], Any] = {}

    def context(width: int, scheme: str) -> Any:
        if (width, scheme) not in made:
            size = {"width": width, "height": 1000}
            made[width, scheme] = chromium.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
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


@pytest.fixture(scope="session")
def reader(contexts: Any, address: str) -> Iterator[Visit]:
    """Somebody who has the dashboard open and turns its pages, which is faster than to open each anew."""
    at = Visit(contexts(1440, "light"))
    at.go(address)
    yield at
    at.page.close()
