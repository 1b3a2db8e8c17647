"""Runs while they train: how far each is, what can be asked of it, and the charts that grow."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from gradviz import starting
from gradviz.dashboards import choices, look, show, state, steady
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.recording.control import Wish, ask, rule_of
from gradviz.recording.lock import taken
from gradviz.recording.segments import CONTROL, META
from gradviz.wording import number

RECENT = 15 * 60  # seconds for which a run that has ended stays on the page
QUIET = 5.0  # seconds without a word from a run, after which it is asked whether its process still lives
MOST = 6  # runs in the charts
CHIPS = {
    "running": ("note", "in training"),
    "paused": ("warning", "paused"),
    "finished": ("good", "finished"),
    "interrupted": ("none", "stopped"),
    "failed": ("critical", "failed"),
    "gone": ("critical", "its process is gone"),
}
PROBLEM = "train-problem"


def standing(run: Run) -> str:
    """running, paused, finished, interrupted, failed, or gone: said to run, by a process that lives no more."""
    if run.status != "running":
        return run.status
    quiet = time.time() - state.changed_at(run.path) > QUIET
    if quiet and not taken(run.path):
        return "gone"
    return "paused" if run.meta.get("paused") else "running"


def watched() -> list[Run]:
    """Runs in training, and those that ended a short while ago."""
    return [run for run in state.shelf().runs if run.status == "running" or fresh(run.path)]


def fresh(path: Path) -> bool:
    try:
        return time.time() - (path / META).stat().st_mtime < RECENT
    except OSError:  # removed just now
        return False


def busy() -> bool:
    """Whether anything on the page changes by the second."""
    begun = starting.begun(state.folder())
    return any(not item.error for item in begun) or any(standing(run) == "running" for run in watched())


def title(runs: Sequence[Run]) -> str:
    count = {word: sum(standing(run) == word for run in runs) for word in CHIPS}
    if not count["running"] + count["paused"]:
        return "Train networks and watch them learn"
    said = f"{count['running']} run{'s' if count['running'] != 1 else ''} in training"
    return said + (f", {count['paused']} paused" if count["paused"] else "")


def panel() -> None:
    """Everything below the form."""
    for item in starting.begun(state.folder()):
        begun(item)
    runs = watched()
    if not runs:
        st.caption("Nothing is in training in this folder. A training that a terminal starts here appears by itself:")
        st.code(f"gradviz train --out {state.folder()}", language=None)
        return
    tasks = list(dict.fromkeys(state.task_of(run) for run in sorted(runs, key=lambda run: run.status != "running")))
    task = tasks[0]
    if len(tasks) > 1:
        task = st.segmented_control("Watch the task", tasks, default=task, required=True, key="train-watch")
    shown = [run for run in runs if state.task_of(run) == task][:MOST]
    for first in range(0, len(shown), 3):
        for column, run in zip(st.columns(3, gap="medium"), shown[first : first + 3], strict=False):
            with column:
                card(run)
    charts(shown)


def charts(runs: Sequence[Run]) -> None:
    if not any(len(run.steps) for run in runs):
        st.caption("The charts begin with the first update.")
        return
    if any(standing(run) == "running" for run in runs):
        steady.chart("loss", runs)
        steady.chart("clip_ledger", runs)
        return
    show.chart("loss", runs)
    show.chart("clip_ledger", runs)
    if any(run.reach_steps for run in runs):
        show.chart("waterfall", runs)


def begun(item: starting.Begun) -> None:
    if not item.error:
        st.caption(f"{look.plain(item.name)} is starting …")
        return
    show.problem(f"{item.name} could not be trained", item.error)
    st.button("Put this away", key=f"away-{item.name}", on_click=starting.forget, args=(state.folder() / item.name,))


def card(run: Run) -> None:
    """One run: where it stands and what can be asked of it."""
    now, steps = standing(run), run.steps
    total = int(run.setting("training", "updates") or 0)
    with st.container(border=True, height="stretch", gap="small"):
        st.markdown(f"**{look.plain(run.label)}** {look.chip(*CHIPS.get(now, ('none', now)))}  \n{look.plain(run.name)}")
        st.progress(min(1.0, len(steps) / total) if total else 1.0, text=look.plain(progress(run, total)))
        for note in notes(run):
            st.caption(look.plain(note))
        if now in ("running", "paused"):
            asking(run, now)
        elif now == "finished":
            st.page_link(
                st.session_state["pages"]["gradient_flow"], label="Look at it", icon=":material/arrow_forward:",
                query_params={"task": state.task_of(run), "runs": run.label},
            )  # fmt: skip
        else:
            do("Resume", "play_arrow", run, partial(starting.start_again, run.path))


def progress(run: Run, total: int) -> str:
    steps = run.steps
    if not len(steps):
        return f"no update of {total} yet"
    last = steps.iloc[-1]
    said = f"update {len(steps)} of {total}, loss {number(last['loss'])}, gradient norm {number(last['norm_before'])}"
    return said + (f", shortened to {number(last['norm_after'])}" if last["clipped"] else "")


def notes(run: Run) -> list[str]:
    said = [f"{option.rsplit('.', 1)[-1]} {number(after)} since update {step}" for step, option, _, after in run.changes[-1:]]
    refused = run.meta.get("refused")
    if isinstance(refused, dict):
        said.append(f"not done, after update {refused.get('update')}: {refused.get('why')}")
    if run.status == "failed":
        said.append(str(run.meta.get("error") or "its error was not recorded"))
    return said


def asking(run: Run, now: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if now == "paused":
            do("Go on", "play_arrow", run, partial(ask, run.path, Wish(pause=False)))
        else:
            do("Pause", "pause", run, partial(ask, run.path, Wish(pause=True)))
        do("Stop", "stop", run, partial(ask, run.path, Wish(stop=True)))
        threshold(run)
    if (run.path / CONTROL).exists():
        st.caption("asked; it answers between two updates")


def threshold(run: Run) -> None:
    """The number that may be changed, if its rule has one."""
    try:
        rule = rule_of(run.meta)
    except GradvizError:  # a rule from elsewhere, which only the training knows
        return
    if not rule.dial:
        return
    item, key = choices.option(type(rule), rule.dial), f"dial-{where(run)}"
    help = f"{item['help']}; holds from the next update on"
    now = float(getattr(rule, rule.dial))

    def turn() -> None:
        wanted = float(st.session_state[key])
        if wanted != now:  # a run that ends takes its control away, which a browser may report as a change
            attempt(partial(ask, run.path, Wish(threshold=wanted)))

    st.number_input(
        f"Threshold ({rule.dial})", item["low"], item["high"], now, step=None, format="%g", key=key, on_change=turn, width=150, help=help
    )


def where(run: Run) -> str:
    return str(run.path.relative_to(state.folder())) if run.path.is_relative_to(state.folder()) else run.path.name


def do(label: str, icon: str, run: Run, act: Callable[[], None]) -> None:
    st.button(label, key=f"{icon}-{where(run)}", icon=f":material/{icon}:", on_click=attempt, args=(act,))


def attempt(act: Callable[[], None]) -> None:
    """Runs before the page is drawn again; what cannot be done is said there."""
    try:
        act()
    except GradvizError as error:
        st.session_state[PROBLEM] = str(error)
