"""How long a reader of the dashboard waits, in a real browser, and what a session takes of the server's memory.

Runs: the demo's nine, shortened; and one whose table of updates has a million rows. Each round starts a server and a browser anew.
Needs playwright and Chromium.
"""

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import charts

from gradviz.dashboards import launch
from gradviz.dashboards.views import ordered
from gradviz.demo import experiments, shortened
from gradviz.frames import load
from gradviz.training import train

UPDATES, ROWS, SESSIONS = 60, 1_000_000, 12
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
AIMS = {"first page after the start": 2.0, "a page switch": 0.7, "a control's answer": 0.3, "a run of a million updates opens": 3.0}  # s
WHOLE = """() => {
    const places = [...document.querySelectorAll('[data-testid=stPlotlyChart]')].filter(place => place.offsetParent !== null);
    return document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]') !== null
        && document.querySelector('h1') !== null
        && document.querySelector('[data-testid=stSkeleton], [data-stale=true]') === null
        && places.every(place => place.querySelector('.js-plotly-plot .main-svg'));
}"""
MOVES = 4  # of the slider: the runs have recorded five steps
SLIDER = '[data-testid=stSlider] input[aria-label="Training step"]'


def make(folder: Path) -> tuple[Path, Path]:
    """The folder of the nine, and that of the long one."""
    short, long = folder / "nine", folder / "long"
    for name, experiment in experiments().items():
        train(shortened(experiment, UPDATES), short / name)
    charts.stretch(
        load(short / "text-lstm-clip"), long / "text-lstm-clip", ROWS, {name: 1 if name == "steps" else 10_000 for name in charts.EVERY}
    )
    return short, long


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """Address and process id of a server that has just come up."""
    port = launch.free_port()
    server = launch.start(folder, port)
    try:
        launch.wait_until_up(server, port)
        yield f"http://{launch.ADDRESS}:{port}", server.pid
    finally:
        server.terminate()
        server.wait()


def leave(browser: Any) -> None:
    """All readers close their windows."""
    for context in browser.contexts:
        context.close()


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def opened(browser: Any, address: str) -> Any:
    """A page in a context of its own, as another reader's, drawn whole."""
    page = browser.new_context(viewport={"width": 1440, "height": 1000}, reduced_motion="reduce").new_page()
    page.goto(address)
    page.wait_for_function(WHOLE, timeout=120_000)
    return page


def turn(page: Any, view: str) -> None:
    path = "" if view == next(iter(ordered())) else view
    page.evaluate(f"document.querySelector('[data-testid=stSidebarNavLink][href$=\"/{path}\"]').click()")
    page.wait_for_selector(f".st-key-page-{view}", state="attached")
    page.wait_for_function(WHOLE, timeout=120_000)


def move(page: Any) -> None:
    """The slider of the training step goes back by one, and the figures are those of that step."""
    page.locator(SLIDER).focus()
    before = page.locator("h1").inner_text()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"document.querySelector('h1').innerText !== {before!r}", timeout=120_000)


def visit(browser: Any, short: Path, long: Path) -> dict[str, float]:
    """One round: seconds of each wait."""
    with served(short) as (address, _):
        found = {"first page after the start": seconds(lambda: opened(browser, address))}
        page = opened(browser, address)
        switches = {view: seconds(lambda view=view: turn(page, view)) for view in [*ordered()][1:]}
        again = [seconds(lambda view=view: turn(page, view)) for view in ordered()]
        found |= {"a page switch": statistics.median(again), "a page for the first time": statistics.median(switches.values())}
        turn(page, "gradient_flow")
        found["a control's answer"] = statistics.median(seconds(lambda: move(page)) for _ in range(MOVES))
        leave(browser)
    with served(long) as (address, _):
        found["a run of a million updates opens"] = seconds(lambda: opened(browser, address))
        leave(browser)
    return found


def memory(pid: int) -> float:
    """MB that a process has in memory now."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def sessions(browser: Any, folder: Path) -> dict[str, float]:
    """MB of the server with no session, one and many, each on the first page."""
    with served(folder) as (address, pid):
        found = {"no session": memory(pid)}
        for count in range(1, SESSIONS + 1):
            opened(browser, address)
            if count in (1, SESSIONS):
                found[f"{count} session{'s' if count > 1 else ''}"] = memory(pid)
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def measure(rounds: int) -> list[dict[str, object]]:
    """Rows of the table: medians beside the aims."""
    with TemporaryDirectory(prefix="gradviz-benchmark-") as folder, chromium() as browser:
        short, long = make(Path(folder))
        found = [visit(browser, short, long) for _ in range(rounds)]
        rows: list[dict[str, object]] = [
            {
                "what": name,
                "median": f"{statistics.median(one[name] for one in found):.2f} s",
                "aim": f"{AIMS[name]} s" if name in AIMS else "",
            }
            for name in found[0]
        ]
        used = sessions(browser, short)
    return rows + [{"what": f"memory of the server, {name}", "median": f"{mb:.0f} MB", "aim": ""} for name, mb in used.items()]
