"""The page Text, part Write, below its form: a network at work, token by token, and its gates while it does so."""

import dataclasses
from pathlib import Path
from typing import Any

import streamlit as st

from gradviz.backends import plotly as drawing
from gradviz.charts import CHARTS, Description
from gradviz.charts._description import Heat
from gradviz.dashboards import controls, look, parts, reading, show
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.language import Choice, Sample, Writing

TICK = 0.2  # seconds from one picture to the next
PICTURES = 12  # of one text, about: a long text is drawn in longer strides
FRAMES = 20  # of the text between two pictures, about
WIDE = 90  # tokens that the growing picture has room for
LEAST = 10  # tokens between two pictures
DONE = "written"  # stands in the address once the network has written, so that a link shows the text as well


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is to be written. path: of the run; choice: temperature, top-k, top-p; length: in tokens, at most."""

    path: Path
    prompt: str
    choice: tuple[float, int, float]
    length: int
    seed: int


@dataclasses.dataclass
class Work:
    """A wish that is being fulfilled. text: the text in the making, None if it cannot be; problem: why; over: nothing more is to come."""

    wish: Wish
    text: Writing | None = None
    problem: str = ""
    over: bool = False

    def begin(self) -> "Work":
        temperature, top_k, top_p = self.wish.choice
        try:
            choice = Choice(temperature, top_k, top_p)
            self.text = Writing(self.wish.path, self.wish.prompt, length=self.wish.length, choice=choice, seed=self.wish.seed)
        except GradvizError as error:
            self.fail(str(error))
        return self

    def fail(self, why: str) -> None:
        self.text, self.problem, self.over = None, why, True

    def stop(self) -> None:
        self.over = True

    @property
    def stride(self) -> int:
        return max(LEAST, self.wish.length // PICTURES)


def draw(run: Run, head: Any, wish: Wish, pressed: bool) -> None:
    """What is written fits what the form says; without anything written, an invitation."""
    work: Work | None = st.session_state.get("work")
    if pressed or (st.query_params.get(DONE) and (work is None or work.wish != wish)):
        work = st.session_state["work"] = Work(wish).begin()
    if work is None or work.wish != wish:
        head.title("Let the network write", anchor=False)
        head.caption("Each token is drawn from the probabilities that the network gives it, and read by the network before the next one.")
        return
    st.query_params[DONE] = "yes"
    if work.text is None:
        head.title("The network cannot write", anchor=False)
        show.problem("Nothing was written", work.problem)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        point, layer = point_choice(run), parts.layer_choice([run])
        if not work.over:
            st.button("Stop", icon=":material/stop:", on_click=work.stop, key="stop")
    if work.over:
        finished(run, work.text.sample(), work.text.done, head)
        pictures(run, work.text.sample(), point, layer)
    else:
        head.title(look.plain(f"{run.label} is writing"), anchor=False)
        head.caption(f"At most {wish.length} tokens, and what the units do at each of them.")
        st.fragment(run_every=TICK)(tick)(run, work, point, layer)


def point_choice(run: Run) -> str:
    """The gate to watch, or a state; no control if there is but one state."""
    gates = sorted(reading.points(run, ".gate."), key=lambda name: name not in reading.KEEPING)
    choices = [*gates, *reading.states(run)]
    if len(choices) < 2:
        return ""
    return str(controls.choice("Watch", choices, "watch"))


def tick(run: Run, work: Work, point: str, layer: int) -> None:
    """A stride of tokens, one after the other, and then the picture. The last one draws the whole page again, which is then at rest."""
    picture, place = st.container(key="wide-gate-growing"), st.empty()  # above the text, which pushes down what is below it
    if work.text is not None and not work.over:
        try:
            on(work, work.text, place)
        except GradvizError as error:
            work.fail(str(error))
    if work.over or work.text is None:
        st.rerun()
    said = work.text.sample()
    with picture:
        growing(run, said.prompt + said.text, point, layer)


def on(work: Work, text: Writing, place: Any) -> None:
    """Writes a stride of tokens, shown one after the other; of a long text several at once."""
    for number, _ in zip(range(work.stride), text, strict=False):
        if number % max(1, work.stride // FRAMES) == 0 or number == work.stride - 1:
            said = text.sample()
            place.code(said.prompt + said.text, language=None, wrap_lines=True)
    work.over = text.done


def growing(run: Run, text: str, point: str, layer: int) -> None:
    """The units at the last tokens, in a frame with room for WIDE of them: it fills, and then moves on with the text."""
    if not text or (description := gates_of(run, text, point, layer)).missing:
        return
    figure = drawing.figure(latest(description), look.viewer())
    figure["layout"]["xaxis"]["range"] = [-0.5, WIDE - 0.5]
    show.put(description, figure, "growing", None)


def latest(description: Description) -> Description:
    """The last WIDE columns of a heatmap."""
    panel = description.panels[0]
    heat = next(mark for mark in panel.marks if isinstance(mark, Heat))
    first = max(0, len(heat.x) - WIDE)
    heat = dataclasses.replace(heat, x=heat.x[: len(heat.x) - first], values=heat.values[:, first:])
    words = panel.x.words[first:] if panel.x.words else None
    axis = dataclasses.replace(panel.x, words=words, label="" if words else "token", ticks=None)
    return dataclasses.replace(description, panels=(dataclasses.replace(panel, marks=(heat,), x=axis),))


def gates_of(run: Run, text: str, point: str, layer: int) -> Description:
    """The network reads what it wrote, in one go: its gates and states are those it had while it wrote. Units stay where they are."""
    return CHARTS["gate_heatmap"](text=text, gate=point, layer=layer, sort="none").describe([run])


def finished(run: Run, said: Sample, whole: bool, head: Any) -> None:
    count = len(said.ids)
    head.title(look.plain(f"{count} token{'' if count == 1 else 's'} written by {run.label}"), anchor=False)
    notes = ["It ended by itself." if said.ended else "It was stopped at this length." if whole else "You stopped it."]
    if said.unknown:
        notes.append(f"Not in its vocabulary, and read as unknown: {', '.join(said.unknown)}.")
    head.caption(look.plain(" ".join(notes)))


def pictures(run: Run, said: Sample, point: str, layer: int) -> None:
    """The text at rest, what the units did, and how probable each token was."""
    text = said.prompt + said.text
    st.code(text, language=None, wrap_lines=True)
    if text:
        show.chart("gate_heatmap", [run], text=text, gate=point, layer=layer, sort="none")
        show.chart("text_probability", [run], text=text)
