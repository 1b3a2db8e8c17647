"""A lesson in a real browser: on its page, where everything is computed anew, and as a file of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from gradviz.lessons import LESSONS, facts_of, filled, right
from gradviz.reports.lesson import lesson
from tests.browser.conftest import FITS, Visit

pytestmark = pytest.mark.browser

NAME = "vanishing"
PICTURE = "[class*=st-key-play-6a] h2"


def reads(page: Any, selector: str, words: str) -> None:
    """Waits until some text stands there."""
    page.wait_for_function(
        "([selector, words]) => [...document.querySelectorAll(selector)].some(part => part.innerText.includes(words))",
        arg=[selector, words],
    )


def test_a_control_answers_and_the_address_follows(address: str, visit: Any) -> None:
    at: Visit = visit()
    page = at.go(f"{address}/lesson-vanishing?step6=2")
    reads(page, PICTURE, "With w = 0.9")
    page.locator('input[aria-label="Weight w"]').press("ArrowRight")
    reads(page, PICTURE, "With w = 0.91")
    page.wait_for_url("**6a-w=0.91**")
    page.get_by_role("button", name="Next").click()
    reads(page, PICTURE, "With w = 1.01")
    assert at.complaints == []
    assert at.outside() == []


def test_a_prediction_comes_before_the_answer_and_moves_the_picture(address: str, visit: Any) -> None:
    page = visit().go(f"{address}/lesson-vanishing?step6=Predict+1")
    kind = LESSONS[NAME]
    answer = filled(kind.questions[0].answer, facts_of(kind), "notes")
    reads(page, PICTURE, "With w = 0.9")
    assert answer not in page.locator("[data-testid=stMain]").inner_text()
    page.get_by_text("about 60 times larger").click()
    reads(page, "[data-testid=stMain]", answer)
    reads(page, "[data-testid=stMain]", "not quite")
    reads(page, PICTURE, "With w = 1.1")


PLAYS = "([page, count]) => document.querySelectorAll(`.st-key-page-${page} [class*=st-key-play-]`).length === count"


def test_every_lesson_fits_a_phone(address: str, visit: Any) -> None:
    at: Visit = visit(width=390, scheme="dark")
    page = at.go(f"{address}/lessons")
    for name, kind in LESSONS._entries.items():
        if kind.waits:  # seconds of training show nothing of the width
            continue
        # as the browser's way back does, which is faster than to open each anew
        path = f"lesson-{name.replace('_', '-')}"
        go = "where => { history.pushState({}, '', where); dispatchEvent(new PopStateEvent('popstate')) }"
        page.evaluate(go, f"/{path}?step{kind.order}=Play")
        page.wait_for_function(PLAYS, arg=[path, len(kind.plays)])
        at.settle()
        assert page.locator("[data-testid=stException]").count() == 0
        assert page.locator(".main-svg").count() > 0
        page.wait_for_function(FITS)
    assert at.complaints == []


@pytest.fixture(scope="module")
def opened(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The lesson's file, opened from the disk."""
    path = lesson(NAME).write(tmp_path_factory.mktemp("lesson") / "lesson.html")
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=30_000)
    yield page
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
    context.close()


def test_a_file_plays_too(opened: Any) -> None:
    figure = opened.locator("#play figure").first
    figure.locator("input[type=range]").focus()
    before = figure.locator("h3").inner_text()
    opened.keyboard.press("ArrowRight")
    assert figure.locator("h3").inner_text() != before
    assert float(figure.locator("output").inner_text()) > 0.9


def test_a_file_asks_and_speaks_both_notations(opened: Any) -> None:
    kind = LESSONS[NAME]
    choice = opened.locator(".ask").first.locator("details").nth(right(kind, kind.questions[0]))
    assert not choice.locator("p").first.is_visible()
    choice.locator("summary").click()
    assert "right" in choice.inner_text()
    shown = opened.locator("#step-1 .equation")
    assert shown.locator(".in-notes").is_visible()
    opened.locator("input[name=notation][value=field]").check()
    assert shown.locator(".in-field").is_visible()
    assert not shown.locator(".in-notes").is_visible()
