"""The dashboard in a real browser: a real server, every page, and nothing asked of the world outside."""

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from gradviz.backends.theme import colour
from gradviz.dashboards.views import VIEWS
from tests.browser.conftest import FITS, Visit
from tests.synthetic import make_run

pytestmark = pytest.mark.browser

SLIDER = '[data-testid=stSlider] input[aria-label="Training step"]'


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_page_opens_in_peace_and_fits_a_phone(view: str, reader: Visit) -> None:
    reader.complaints.clear()
    page = reader.turn(view)
    assert page.locator("h1").count() == 1
    assert page.locator("[data-testid=stException]").count() == 0
    if VIEWS[view].shows_runs and view != "findings":
        page.wait_for_selector(".js-plotly-plot .main-svg")
    levels = [int(tag[1]) for tag in page.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(e => e.tagName)")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), "headings step down one level at a time"
    page.set_viewport_size({"width": 390, "height": 1000})
    reader.settle()
    page.wait_for_function(FITS)
    page.set_viewport_size({"width": 1440, "height": 1000})
    assert reader.complaints == []
    assert reader.outside() == []


def chosen_step(page: Any) -> int:
    return int(page.locator(SLIDER).get_attribute("aria-valuetext"))


def test_a_deep_link_reproduces_the_view(address: str, visit: Any) -> None:
    page = visit().go(f"{address}/gradient_flow")
    last = chosen_step(page)
    page.locator(SLIDER).press("ArrowLeft")
    page.wait_for_url("**step=*")
    there = visit().go(page.url)
    assert chosen_step(there) == chosen_step(page) < last
    words = there.locator("h1").inner_text()
    page.wait_for_function(f"document.querySelector('h1').innerText === {json.dumps(words)}")


def test_a_click_into_a_film_moves_the_step(reader: Visit) -> None:
    page = reader.turn("gradient_flow")
    last = chosen_step(page)
    film = page.locator(".st-key-figure-film .js-plotly-plot .nsewdrag").first
    box = film.bounding_box()
    place = {"x": 0.3 * box["width"], "y": 0.5 * box["height"]}
    film.hover(position=place)  # as a reader does: plotly selects what was under the mouse before it was pressed
    film.click(position=place)  # not by coordinates of the page: this waits until the film stands still and would receive the click
    page.wait_for_url("**step=*")
    page.wait_for_function(f"+document.querySelector('{SLIDER}').getAttribute('aria-valuetext') !== {last}")
    assert 0.1 * last < chosen_step(page) < 0.5 * last


def test_evidence_leads_to_the_run_it_speaks_of(address: str, visit: Any) -> None:
    at = visit()
    page = at.go(address)
    page.locator("[data-testid=stPageLink] a", has_text="Evidence").first.click()
    page.wait_for_url("**runs=*")
    tag = page.locator("[data-testid=stMultiSelectTagsContainer] [data-tag]")
    tag.wait_for()  # there is exactly one
    assert parse_qs(urlparse(page.url).query)["runs"] == [tag.get_attribute("aria-label")]
    assert at.complaints == []


PAPER = "document.querySelector('.js-plotly-plot')?.layout?.paper_bgcolor"  # none while a figure is put up anew


def test_figures_follow_the_theme_while_the_page_is_open(reader: Visit) -> None:
    page = reader.turn("clipping")
    page.wait_for_function(f"{PAPER} === '{colour('paper', 'light')}'")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"{PAPER} === '{colour('paper', scheme)}'")
    assert colour("paper", "light") != colour("paper", "dark")


def test_a_run_that_appears_is_shown_without_a_reload(folder: Path, reader: Visit) -> None:
    page = reader.turn("findings")
    page.wait_for_selector("text=4 runs")
    make_run(folder / "new", family="gru", clipped=True)
    try:
        page.wait_for_selector("text=5 runs")
        assert page.locator("[data-testid=stException]").count() == 0
    finally:
        shutil.rmtree(folder / "new")
    page.wait_for_selector("text=4 runs")


EVIL = "<img id=evil src=x onerror=alert(1)> :red[x] $y$ **z**"


def test_a_hostile_name_stays_a_name(folder: Path, reader: Visit) -> None:
    page = reader.turn("findings")
    page.wait_for_selector("text=4 runs")
    dialogs: list[Any] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    make_run(folder / EVIL, family="gru")  # the second of its kind: both are told apart by their names
    try:
        page.wait_for_selector("text=5 runs")
        for view in ("overview", "gates"):
            reader.turn(view)
            page.wait_for_selector(".js-plotly-plot .main-svg")
            page.get_by_text("onerror=alert").first.wait_for(state="attached")
            assert page.locator("#evil").count() == 0
            assert dialogs == []
            assert reader.outside() == []
    finally:
        shutil.rmtree(folder / EVIL)
