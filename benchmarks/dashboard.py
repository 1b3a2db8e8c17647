"""How long a reader of the dashboard waits, in a real browser, and what a session takes of the server's memory.

Runs: the demo's nine, shortened; and one whose table of updates has a million rows. Each round starts a server and a browser window anew,
for the dashboard and for the least that a Streamlit app can be (`bare_page.py`). Needs playwright and Chromium.
"""

import os
import shutil
import statistics
import subprocess
import sys
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
FIRST, NEW, SWITCH = "first page after the start", "a page for the first time", "a page switch"
ANSWER, REDRAWN, LONG = "a control's answer", "until all it changes is drawn", "a run of a million updates opens"
AIMS = {FIRST: 2.0, SWITCH: 0.7, ANSWER: 0.3, LONG: 3.0}  # s
POLL = 20  # ms; to ask at each frame would take the browser a third of its time
WHOLE = """() => {
    if (document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]') === null) return false;
    if (document.querySelector('h1') === null) return false;
    if (document.querySelector('[data-testid=stSkeleton], [data-stale=true]') !== null) return false;
    const places = [...document.querySelectorAll('[data-testid=stPlotlyChart]')].filter(place => place.offsetParent !== null);
    return places.every(place => place.querySelector('.js-plotly-plot .main-svg'));
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
    """Address and process id of a dashboard that has just come up."""
    port = launch.free_port()
    with ended(launch.start(folder, port)) as server:
        launch.wait_until_up(server, port)
        yield f"http://{launch.ADDRESS}:{port}", server.pid


@contextmanager
def bare() -> Iterator[str]:
    """Address of the least that there can be."""
    port = launch.free_port()
    flags = [f"--server.port={port}", f"--server.address={launch.ADDRESS}", "--server.headless=true", "--browser.gatherUsageStats=false"]
    command = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).with_name("bare_page.py")), *flags]
    with ended(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)) as server:
        launch.wait_until_up(server, port)
        yield f"http://{launch.ADDRESS}:{port}"


@contextmanager
def ended(server: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    try:
        yield server
    finally:
        server.terminate()
        server.wait()


def leave(page: Any) -> None:
    page.context.close()


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def opened(browser: Any, address: str) -> Any:
    """A page in a context of its own, as another reader's, drawn whole."""
    page = browser.new_context(viewport={"width": 1440, "height": 1000}, reduced_motion="reduce").new_page()
    page.goto(address)
    whole(page)
    return page


def whole(page: Any) -> None:
    page.wait_for_function(WHOLE, timeout=120_000, polling=POLL)


def turn(page: Any, view: str) -> None:
    path = "" if view == next(iter(ordered())) else view
    page.evaluate(f"document.querySelector('[data-testid=stSidebarNavLink][href$=\"/{path}\"]').click()")
    page.wait_for_selector(f".st-key-page-{view}", state="attached")
    whole(page)


def move(page: Any) -> None:
    """The slider of the training step goes back by one: until the title, which is computed from that step, is another."""
    page.locator(SLIDER).focus()
    before = page.locator("h1").text_content()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"document.querySelector('h1').textContent !== {before!r}", timeout=120_000, polling=POLL)


def waits(browser: Any, address: str, views: list[str]) -> dict[str, float]:
    """Seconds of each wait. The first view is the first page."""
    found = {FIRST: seconds(lambda: leave(opened(browser, address)))}
    page = opened(browser, address)
    found[NEW] = statistics.median(seconds(lambda view=view: turn(page, view)) for view in views[1:])
    found[SWITCH] = statistics.median(seconds(lambda view=view: turn(page, view)) for view in views)
    turn(page, "gradient_flow")
    answers, drawn = [], []
    for _ in range(MOVES):
        time.sleep(1)
        began = time.perf_counter()
        move(page)
        answers.append(time.perf_counter() - began)
        whole(page)
        drawn.append(time.perf_counter() - began)
    leave(page)
    return found | {ANSWER: statistics.median(answers), REDRAWN: statistics.median(drawn)}


def visit(browser: Any, short: Path, long: Path) -> tuple[dict[str, float], dict[str, float]]:
    """One round: seconds of each wait, of the dashboard and of the bare page."""
    with bare() as address:
        least = waits(browser, address, ["overview", "gradient_flow"])
    with served(short) as (address, _):
        found = waits(browser, address, [*ordered()])
    with served(long) as (address, _):
        found[LONG] = seconds(lambda: leave(opened(browser, address)))
    return found, least | {LONG: least[FIRST]}


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
        rounds_of = [visit(browser, short, long) for _ in range(rounds)]
        rows: list[dict[str, object]] = []
        for name in AIMS | rounds_of[0][0]:
            ours, least = (statistics.median(one[which][name] for one in rounds_of) for which in (0, 1))
            aim = f"{AIMS[name]:g} s" if name in AIMS else ""
            rows.append({"what": name, "gradviz": f"{ours:.2f} s", "bare page": f"{least:.2f} s", "ratio": ours / least, "aim": aim})
        used = sessions(browser, short)
    blank = {"bare page": "", "ratio": "", "aim": ""}
    return rows + [{"what": f"memory of the server, {name}", "gradviz": f"{mb:.0f} MB", **blank} for name, mb in used.items()]
