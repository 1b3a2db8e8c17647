"""The pictures of README.md, out of the demo's runs. Run it after a change of charts, looks or defaults:

gradviz demo && python docs/pictures.py
"""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from gradviz.backends import matplotlib
from gradviz.charts import CHARTS
from gradviz.dashboards import launch
from gradviz.frames import Run, label_runs, load_runs

HERE = Path(__file__).parent
IMAGES = HERE / "images"
WIDTH = 7.4  # inches: as wide as a page on GitHub shows it
Chosen = Callable[[Run], bool]
PICTURES: dict[str, Chosen] = {
    "waterfall": lambda run: run.meta.get("lag") is None,
    "clip_ledger": lambda run: run.meta.get("lag") is None and run.family == "rnn",
    "gate_heatmap": lambda run: run.name == "text-lstm-clip",
}


def draw(runs: Sequence[Run]) -> None:
    for name, wanted in PICTURES.items():
        description = CHARTS[name]().describe(label_runs([run for run in runs if wanted(run)]))
        matplotlib.save(description, IMAGES / f"{name}.png", WIDTH)
        print(f"{name}: {description.title}")


def dashboard(folder: Path) -> None:
    """Its first page, as a browser shows it."""
    port = launch.free_port()
    server = launch.start(folder, port)
    try:
        launch.wait_until_up(server, port)
        with sync_playwright() as playwright:
            path = os.environ.get("CHROMIUM") or shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
            page.goto(f"http://{launch.ADDRESS}:{port}/gradient_flow")
            page.wait_for_selector(".js-plotly-plot .main-svg", timeout=60_000)
            page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)
            page.wait_for_timeout(1500)
            page.get_by_text(str(folder.resolve())).evaluate("one => one.remove()")  # where it lies on this machine is nobody's business
            page.screenshot(path=IMAGES / "dashboard.png")
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "gradviz-runs")
    IMAGES.mkdir(exist_ok=True)
    draw(load_runs(folder))
    dashboard(folder)
