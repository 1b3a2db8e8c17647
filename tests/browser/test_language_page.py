"""What leaves a page in a real browser: pictures, data, a report; and a network that writes while one looks on."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gradviz import frames
from gradviz.language import sample
from tests.browser.conftest import DRAWN, SETTLED, served
from tests.synthetic import make_run

pytestmark = pytest.mark.browser

PATIENCE = 120_000  # milliseconds: a busy machine may take its time
TEXT = "[data-testid=stMain] [data-testid=stCode] code"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("runs")
    make_run(made / "rnn", family="rnn", explode=True, steps=8)
    make_run(made / "lstm", family="lstm", clipped=True, steps=8)
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as there:
        yield there


@pytest.fixture(scope="module")
def visit(chromium: Any, address: str) -> Iterator[Callable[[str], Any]]:
    """Opens a path of the dashboard; the second visit finds Streamlit's own files in the cache."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)

    def go(path: str) -> Any:
        page = context.new_page()
        page.goto(f"{address}/{path}")
        settle(page)
        return page

    yield go
    context.close()


def settle(page: Any) -> None:
    """A click on what is drawn again meanwhile would be lost."""
    page.wait_for_selector("h1")
    page.wait_for_selector(SETTLED, state="attached")
    page.wait_for_function(DRAWN)


def saved(page: Any, label: str) -> tuple[str, bytes]:
    """Name and content of the file that a click sends."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).first.click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def test_a_chart_leaves_the_page_as_data_and_as_pictures(folder: Path, visit: Any) -> None:
    page = visit("clipping?runs=LSTM%2C+clipped")
    page.locator("[data-testid=stPopover] button", has_text="Download").first.click()  # not that of plotly's own bar
    name, data = saved(page, "Data as CSV")
    assert name == "clip_ledger.csv"
    rows = list(csv.DictReader(data.decode().splitlines()))
    steps = frames.load(folder / "lstm").steps
    assert [float(row["norm_before"]) for row in rows] == pytest.approx(steps["norm_before"].tolist())
    name, data = saved(page, "Picture as SVG")
    assert name == "clip_ledger.svg"
    assert ElementTree.fromstring(data).tag.endswith("svg")
    name, data = saved(page, "Picture as PNG")
    assert name == "clip_ledger.png"
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20]) > 1000, "pixels across"


def test_a_report_of_a_page_opens_and_holds_its_runs_alone(visit: Any, tmp_path: Path) -> None:
    page = visit("gates?runs=LSTM%2C+clipped")
    page.get_by_role("button", name="Make a report of this").click()
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="Download the report").wait_for()
    name, data = saved(page, "Download the report")
    assert name == "gradviz-gates-lstm.html"
    (tmp_path / name).write_bytes(data)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / name).as_uri())
    page.wait_for_selector(".js-plotly-plot .main-svg")
    words = page.locator("body").inner_text()
    assert "LSTM" in words
    assert "RNN" not in page.locator("h1").inner_text()
    assert complaints == []


def test_a_network_writes_and_a_link_shows_the_same(folder: Path, visit: Any) -> None:
    page = visit("text?part=Write&run=LSTM%2C+clipped&length=40")
    page.get_by_role("button", name="Write", exact=True).last.click()
    page.wait_for_selector("h1:has-text('40 tokens written by')")
    settle(page)
    expected = sample(folder / "lstm", length=40).text
    assert page.locator(TEXT).first.text_content() == expected
    assert "written=yes" in page.url
    there = visit(page.url.split("/", 3)[3])
    there.wait_for_selector("h1:has-text('40 tokens written by')")
    settle(there)
    assert there.locator(TEXT).first.text_content() == expected


def test_three_clicks_lead_to_the_run_that_explodes_since_when_and_where(visit: Any) -> None:
    page = visit("")
    card = page.locator("[data-testid=stVerticalBlock]", has=page.locator("[data-testid=stPageLink]")).first
    assert "RNN, not clipped" in card.inner_text()
    page.locator("[data-testid=stPageLink] a", has_text="Gradient flow").first.click()
    page.wait_for_url("**/gradient_flow?**runs=RNN*")
    settle(page)
    said = page.locator(".st-key-verdict").inner_text()
    assert "explodes" in said or "It explodes from step" in said
    assert "in the hidden state of layer 0" in said
    page.wait_for_selector("h1:has-text('grows on its way back')")
