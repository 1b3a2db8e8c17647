"""Charts that follow each other, in a real browser: what is clicked, what moves, and what is left standing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradviz.dashboards import launch

pytestmark = pytest.mark.browser

SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


@pytest.fixture(scope="module")
def address(trained: Path) -> Iterator[str]:
    port = launch.free_port()
    server = launch.start(trained, port)
    try:
        launch.wait_until_up(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1440, "height": 2600})
    made = context.new_page()
    made.set_default_timeout(120_000)
    yield made
    context.close()


def settle(page: Any) -> None:
    page.wait_for_selector(SETTLED, timeout=120_000)
    page.wait_for_timeout(400)


def click(page: Any, key: str, across: float, down: float) -> None:
    area = page.locator(f".st-key-{key} .js-plotly-plot .nsewdrag").first
    area.scroll_into_view_if_needed()
    settle(page)
    box = area.bounding_box()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def slider(page: Any, key: str) -> str:
    return str(page.locator(f".st-key-{key} input[type=range]").get_attribute("aria-valuetext"))


MARK = "[...document.querySelectorAll('.js-plotly-plot')].forEach(plot => plot.dataset.stood = 'yes')"
STOOD = "key => document.querySelector(`.st-key-${key} .js-plotly-plot`).dataset.stood === 'yes'"


def test_a_click_is_followed_and_what_stays_the_same_is_left_standing(address: str, page: Any) -> None:
    page.goto(f"{address}/gradient_flow")
    page.wait_for_selector(".st-key-gradient_matrix-0 .main-svg")
    settle(page)
    page.evaluate(MARK)
    click(page, "film-0", 0.1, 0.2)
    page.wait_for_url("**step=*")
    settle(page)
    assert slider(page, "step") == "0"
    assert page.evaluate(STOOD, "film-0"), "the film is not drawn again"
    assert page.evaluate(STOOD, "decay-0")
    assert not page.evaluate(STOOD, "waterfall-0"), "the profile is another one"
    click(page, "gradient_matrix-0", 0.2, 0.3)
    page.wait_for_url("**token=*")
    settle(page)
    assert 10 <= int(slider(page, "token")) <= 16  # of 20 steps, counted from below
    assert page.evaluate(STOOD, "gradient_matrix-0")
    click(page, "waterfall-0", 0.5, 0.5)
    page.wait_for_url("**back=*")
    settle(page)
    left = "key => getComputedStyle(document.querySelector(`.st-key-${key} [data-testid=stPlotlyChart]`), '::after').left"
    assert page.evaluate(left, "waterfall-0").endswith("px")


def test_a_unit_that_is_clicked_is_followed_and_the_link_shows_it_again(address: str, page: Any) -> None:
    page.goto(f"{address}/gates?run=LSTM%2C+not+clipped")
    page.wait_for_selector(".st-key-unit_course-0 .main-svg")
    settle(page)
    click(page, "gate_heatmap-0", 0.5, 0.05)
    page.wait_for_url("**gate-unit=*")
    settle(page)
    unit = slider(page, "gate-unit")
    assert f"unit {unit}" in page.locator(".st-key-unit_course-0 .annotation-text").first.text_content()
    click(page, "unit_course-0", 0.5, 0.5)
    page.wait_for_url("**time=*")
    settle(page)
    assert 8 <= int(slider(page, "time")) <= 11
    page.goto(page.url)
    page.wait_for_selector(".st-key-unit_course-0 .main-svg")
    settle(page)
    assert slider(page, "gate-unit") == unit
