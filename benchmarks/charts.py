"""How long a reader waits: from recorded runs to pictures, to a report, and what a training of 100,000 steps costs.

The runs are the demo's six on text, shortened. The long run is one of them stretched: every table has as many rows as a training of
100,000 steps leaves with the intervals of EVERY, twenty million numbers in lists. Reports and the long run have a process of their own,
so that their peak memory is theirs: python charts.py FOLDER prints it.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from memory import peak

from gradviz.backends import plotly
from gradviz.charts import CHARTS
from gradviz.demo import experiments, shortened
from gradviz.frames import Run, load, load_runs
from gradviz.recording.store import RunWriter
from gradviz.reports import report
from gradviz.training import train

UPDATES, STEPS = 200, 100_000
EVERY = {"steps": 1, "held_out": 100, "reach": 100, "parameters": 50, "saturation": 50, "timesteps": 50, "probe": 1000}
Contenders = dict[str, Callable[[], object]]


@cache
def _made() -> tuple[Any, Path, Path]:
    """The folder that goes when the process ends; six runs; a folder with the long one."""
    folder = tempfile.TemporaryDirectory(prefix="gradviz-benchmark-")
    short, long = Path(folder.name) / "six", Path(folder.name) / "long"
    for name, experiment in experiments().items():
        if name.startswith("text"):
            train(shortened(experiment, UPDATES), short / name)
    stretch(load(short / "text-lstm-clip"), long / "text-lstm-clip", STEPS)
    return folder, short, long


def stretch(run: Run, folder: Path, steps: int, intervals: Mapping[str, int] = EVERY) -> None:
    """A run as if it had been trained for `steps` updates: its rows again and again, each for a stretch of the steps."""
    recorded: dict[str, list[list[dict[str, Any]]]] = {}
    for name in intervals:
        table = run.table(name)
        recorded[name] = [rows.to_dict("records") for _, rows in table.groupby("step", sort=True)]
    kept = ("name", "experiment", "family", "signature", "facts", "baselines", "lag", "points", "parameters", "probe", "token")
    with RunWriter.create(folder, {name: run.meta[name] for name in kept if name in run.meta}) as writer:
        for step in range(steps):
            for name, every in intervals.items():
                if step % every == 0:
                    for row in recorded[name][step * len(recorded[name]) // steps]:
                        writer.append(name, {**row, "step": step})
        writer.save_weights(run.weights())
        writer.update(updates_done=steps, seconds=float(steps))
        writer.finish("finished")


def pictures() -> dict[str, Contenders]:
    """By chart: its description and its plotly figure, of six runs, and both of the long one."""
    _, short, long = _made()
    six, one = load_runs(short), load_runs(long)
    return {name: _picture(name, six, one) for name in CHARTS}


def _picture(name: str, six: list[Run], one: list[Run]) -> Contenders:
    chart = CHARTS[name]()
    said = chart.describe(six)
    return {
        "describe": lambda: chart.describe(six),
        "figure": lambda: plotly.figure(said),
        "100,000 steps": lambda: plotly.figure(chart.describe(one)),
    }


def reports() -> list[dict[str, object]]:
    """A comparison in a fresh process: seconds until the tables are read, seconds of the report, MB of the page, peak memory in MB."""
    _, short, long = _made()
    rows: list[dict[str, object]] = []
    for name, folder in (("six runs", short), ("one of 100,000 steps", long)):
        done = subprocess.run([sys.executable, __file__, str(folder)], capture_output=True, text=True, check=True)
        rows.append({"runs": name, **json.loads(done.stdout)})
    return rows


def main() -> None:
    runs, began = load_runs(sys.argv[1]), time.perf_counter()
    notes = [note for run in runs for note in run.notes]  # reads every table
    read = time.perf_counter()
    page = report(runs, kind="compare").html()
    found = {"reading, s": read - began, "report, s": time.perf_counter() - read, "page, MB": len(page) / 1e6, "peak MB": peak()}
    print(json.dumps(found if not notes else {"notes": "; ".join(notes)}))


if __name__ == "__main__":
    main()
