"""A lesson on a page: one screen at a time, its picture with controls below it, then the predictions, then all to play with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from gradviz.charts import Description
from gradviz.dashboards import controls, knobs, look, show
from gradviz.errors import GradvizError
from gradviz.lessons import NOTATIONS, Lesson, Notation, Play, Question, Screen, facts_of, filled, made, ordered, right

TEXT, CHART = 720, 920  # pixels: widths of what is read and of what is looked at
PREDICT, PLAY = "Predict", "Play"
NOTATION_OF = {words: name for name, words in NOTATIONS.items()}


@dataclass(frozen=True)
class Reader:
    """Which lesson is open, and in which notation."""

    lesson: type[Lesson]
    notation: Notation

    def say(self, text: str) -> str:
        return filled(text, facts_of(self.lesson), self.notation)

    @property
    def stops(self) -> list[str]:
        """Where one can be in a lesson: its screens, its questions, and the play at the end."""
        asked = [f"{PREDICT} {number}" for number in range(1, len(self.lesson.questions) + 1)]
        return [*(str(number) for number in range(1, len(self.lesson.screens) + 1)), *asked, PLAY]

    @property
    def key(self) -> str:
        """Under which the place in this lesson is kept, in the address too."""
        return f"step{self.lesson.order}"

    def prefix(self, play: int) -> str:
        """Of the controls of one play."""
        return f"{self.lesson.order}{'abc'[play]}"

    def part(self, stop: str) -> Screen | Question | None:
        if stop == PLAY:
            return None
        kind, _, number = stop.rpartition(" ")
        return self.lesson.questions[int(number) - 1] if kind else self.lesson.screens[int(number) - 1]


def page(name: str) -> None:
    """The whole lesson. Only what depends on a control is drawn again when it moves."""
    lesson = ordered()[name]
    with st.container(width=TEXT):
        st.caption(f"Lesson {lesson.order} of {len(ordered())} · {lesson.notes}")
        st.title(lesson.claim, anchor=False)
        st.markdown(f"Afterwards you can {lesson.goal}.")
        if lesson.waits:
            with st.spinner(lesson.waits):
                facts_of(lesson)
    story(name)
    with st.container(width=TEXT):
        foot(name, lesson)


@st.fragment
def story(name: str) -> None:
    lesson = ordered()[name]
    with st.container(width=TEXT):
        words = list(NOTATION_OF)
        reader = Reader(lesson, NOTATION_OF[controls.choice("Notation", words, "notation")])
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            stop = steps(reader)
            onward(reader)
    part = reader.part(stop)
    if isinstance(part, Screen):
        screen(reader, part)
    elif part:
        question(reader, part, stop)
    else:
        for index in range(len(lesson.plays)):
            play(reader, index, {})


def steps(reader: Reader) -> str:
    """Where the reader is, with a way on and a way back."""
    stops = reader.stops
    stop = st.pills(
        "Step", stops, default=stops[0], required=True, key=reader.key, bind="query-params",
        on_change=enter, args=(reader, None), help="numbers: the story; Predict: say what will happen; Play: every control",
    )  # fmt: skip
    return str(stop or stops[0])  # an address may choose none


def enter(reader: Reader, stop: str | None) -> None:
    """Come to a place: its picture shows what the text speaks of. Runs before the page is drawn again."""
    if stop is not None:
        st.session_state[reader.key] = stop
    part = reader.part(st.session_state[reader.key])
    if isinstance(part, Screen) and part.play >= 0:
        knobs.turn(reader.lesson.plays[part.play], reader.prefix(part.play), part.settings)
    elif isinstance(part, Question) and part.play >= 0:
        chosen = st.session_state.get(f"{reader.key}-{st.session_state[reader.key]}")
        knobs.turn(reader.lesson.plays[part.play], reader.prefix(part.play), part.before if chosen is None else part.after)


def screen(reader: Reader, part: Screen) -> None:
    with st.container(width=TEXT):
        st.markdown(reader.say(part.text))
        if part.equation:
            st.latex(part.equation.latex(reader.notation))
    if part.play >= 0:
        play(reader, part.play, part.settings)


def question(reader: Reader, part: Question, stop: str) -> None:
    """Choose, then the picture moves; the choice stays beside the computed answer."""
    at = f"{reader.key}-{stop}"
    with st.container(width=TEXT, border=True):
        texts = [reader.say(choice.text) for choice in part.choices]
        st.markdown(f"**Before you see it.** {reader.say(part.ask)}")
        chosen = st.radio(
            "Your prediction", range(len(texts)), format_func=texts.__getitem__, index=None, key=at,
            label_visibility="collapsed", on_change=enter, args=(reader, stop),
        )  # fmt: skip
        if chosen is not None:
            told(reader, part, chosen)
    if part.play >= 0:
        play(reader, part.play, part.before if chosen is None else part.after)


def told(reader: Reader, part: Question, chosen: int) -> None:
    answer = right(reader.lesson, part)
    chip = look.chip("good", "right") if chosen == answer else look.chip("warning", "not quite")
    st.markdown(f"{chip} {reader.say(part.answer)}")
    for index in dict.fromkeys((chosen, answer)):
        if why := part.choices[index].why:
            st.caption(f"“{reader.say(part.choices[index].text)}”: {reader.say(why)}")


def onward(reader: Reader) -> None:
    """Back and next, for who reads on without looking for numbers."""
    stops = reader.stops
    at = stops.index(st.session_state.get(reader.key) or stops[0])
    before, after = stops[max(at - 1, 0)], stops[min(at + 1, len(stops) - 1)]
    st.button("Back", key=f"{reader.key}-back", on_click=enter, args=(reader, before), disabled=at == 0)
    st.button("Next", key=f"{reader.key}-next", on_click=enter, args=(reader, after), disabled=after == stops[at], type="primary")


def play(reader: Reader, index: int, start: Mapping[str, Any]) -> None:
    """A picture under its controls."""
    kind, prefix = reader.lesson.plays[index], reader.prefix(index)
    with st.container(width=CHART, key=f"play-{prefix}"):
        settings = knobs.knobs(kind, prefix, start)
        try:
            drawn = picture(kind, tuple(settings.items()))
        except GradvizError as error:
            show.problem("This cannot be computed", str(error))
            return
        show.figure(drawn, prefix)


@st.cache_resource(max_entries=512, show_spinner=False)
def picture(kind: type[Play], settings: tuple[tuple[str, Any], ...]) -> Description:
    return made(kind, dict(settings)).draw()


def foot(name: str, lesson: type[Lesson]) -> None:
    """What to take along, and where to go on."""
    st.markdown(f"**Often believed, and wrong:** {lesson.dispels}")
    names = list(ordered())
    at = names.index(name)
    pages = st.session_state["pages"]
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if at:
            st.page_link(pages[page_of(names[at - 1])], label=ordered()[names[at - 1]].title, icon=":material/arrow_back:")
        st.page_link(pages[lesson.view], label="See it in a real run", icon=":material/monitoring:")
        if at + 1 < len(names):
            after = names[at + 1]
            st.page_link(pages[page_of(after)], label=ordered()[after].title, icon=":material/arrow_forward:", icon_position="right")
    sources = [f"[{look.plain(source.text)}]({source.url})" if source.url else look.plain(source.text) for source in lesson.sources]
    st.caption(f"Source: {'; '.join(sources)}. In the code: {', '.join(f'`{module}`' for module in lesson.code)}.")


def page_of(name: str) -> str:
    """The name of a lesson's page, in the address too."""
    return f"lesson-{name.replace('_', '-')}"
