"""A training from the page's button to its end, in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import served

pytestmark = pytest.mark.browser

CHOSEN = "train-task=adding&train-cells=RNN&train-length-adding=10&train-units=3&train-updates=3000"
LOOK = """() => {
  window.blank = 0; window.drawn = new Set();
  const look = () => {
    const picture = document.querySelector('.st-key-wide-tiles-loss img');
    if (document.querySelector('.st-key-wide-tiles-loss')) {
      if (!picture || !picture.complete || picture.naturalWidth === 0 || picture.offsetHeight < 50) window.blank += 1;
      else window.drawn.add(picture.src);
    }
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live") / "runs"  # the page makes it


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as there:
        yield there


def test_a_training_from_start_to_end_with_a_threshold_changed_on_the_way(address: str, folder: Path, chromium: Any) -> None:
    page = chromium.new_page(viewport={"width": 1440, "height": 1600})
    page.set_default_timeout(180_000)  # a busy machine is no bug
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}/train?{CHOSEN}")
    page.locator(".st-key-train-go button").click()
    page.locator("[class*=st-key-pause] button").click()
    page.wait_for_selector("text=0 runs in training, 1 paused")
    page.wait_for_selector(".js-plotly-plot .main-svg")  # while nothing changes it can be asked for its numbers
    run = json.loads((folder / "adding-rnn-norm" / "run.json").read_text())
    assert (run["status"], run["paused"]) == ("running", True)
    threshold = page.locator("[class*=st-key-dial] input")
    threshold.fill("0.01")
    threshold.press("Enter")
    page.wait_for_selector("text=limit 0.01 since update")
    page.locator("[class*=st-key-play_arrow] button").click()
    page.wait_for_selector("text=With limit 0.01 instead of 1 from step")
    page.evaluate(LOOK)
    page.wait_for_function("window.drawn.size > 2")  # it grows
    assert page.evaluate("window.blank") <= 2  # and at no moment, but perhaps at its beginning, is there no picture
    page.wait_for_selector("text=update 3000 of 3000")
    page.get_by_role("link", name="Look at it").wait_for()
    assert page.locator("[data-testid=stException]").count() == 0
    assert complaints == []
    page.close()
    run = json.loads((folder / "adding-rnn-norm" / "run.json").read_text())
    assert (run["status"], run["updates_done"]) == ("finished", 3000)
    (change,) = run["changes"]
    assert (change["before"], change["after"]) == (1.0, 0.01)
    assert 0 < change["update"] < 3000
