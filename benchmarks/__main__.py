"""How fast gradviz is beside its own matrix products, beside PyTorch and beside JAX, and what recording costs in time and memory.

    python benchmarks                     everything, some fifteen minutes; the numbers also go into benchmarks/results.json
    python benchmarks --rounds 5 --only step products --json FILE

PyTorch, JAX and the dashboard are measured if they are installed (pip install torch==2.13.0 jax playwright, and Chromium).

Each figure is a median; contenders take turns in one process. float32. Close other programs: the machine's other work is in every figure.
"""

import argparse
import json
import os
import platform
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy loads; gradviz spreads large work over threads of its own

import agree
import memory
import training_step
import with_gradviz
from job import Job, Size, job
from timing import medians

from gradviz import cores

CELLS = ("lstm", "gru", "rnn")
STEP_SIZES = (Size(32, 100, 64, 128), Size(32, 100, 2, 64))
PRODUCT_SIZES = (Size(32, 100, 64, 128), Size(64, 50, 128, 256))
PEER_SIZES = (Size(32, 100, 64, 128), Size(32, 100, 2, 64), Size(64, 50, 128, 256), Size(32, 1000, 2, 128), Size(1, 200, 64, 128))
RESULTS = Path(__file__).with_name("results.json")
Row = dict[str, object]


def step(rounds: int) -> list[Row]:
    """A training step (forward, loss, backward, clipping, Adam), bare and with everything recorded into a run folder."""
    rows = []
    for size in STEP_SIZES:
        for cell in CELLS:
            times = medians(training_step.contenders(cell, size), 3 * rounds)
            rows.append({"cell": cell, "size": str(size), **times, "recorded / bare": times["recorded"] / times["bare"]})
    return rows


def products(rounds: int) -> list[Row]:
    """Forward and backward, bare, against its matrix products alone: the same calls on arrays of the same shapes, one after the other."""
    rows = []
    for size in PRODUCT_SIZES:
        for cell in CELLS:
            given = job(cell, size)
            bare, alone = with_gradviz.bare(given), with_gradviz.products(given)
            times = medians({"bare": bare, "bare, 1 thread": one_thread(bare), "products": alone}, rounds)
            rows.append({"cell": cell, "size": str(size), **times, "bare / products": times["bare"] / times["products"],
                         "1 thread / products": times["bare, 1 thread"] / times["products"]})  # fmt: skip
    return rows


def one_thread(run: Callable[[], object]) -> Callable[[], object]:
    def alone() -> None:
        count = cores.threads()
        cores.use(1)
        try:
            run()
        finally:
            cores.use(count)

    return alone


def peers(rounds: int) -> list[Row]:
    """Forward and backward with everything recorded, against PyTorch's explicit loop and a jitted JAX scan that tell the same."""
    rows = []
    for size in PEER_SIZES:
        for cell in CELLS:
            given = job(cell, size)
            ours = with_gradviz.recorded(given)
            contenders: dict[str, Callable[[], object]] = {"gradviz": ours, **others(given, ours)}
            times = medians(contenders, rounds)
            ratios = {f"{name} / gradviz": times[name] / times["gradviz"] for name in times if name != "gradviz"}
            rows.append({"cell": cell, "size": str(size), **times, **ratios})
    return rows


def others(given: Job, ours: Callable[[], object]) -> dict[str, Callable[[], object]]:
    """Those that are installed, once they have given the same numbers."""
    found: dict[str, Callable[[], object]] = {}
    if find_spec("torch"):
        import with_torch

        found |= {"PyTorch": with_torch.recorded(given), "nn unobserved": with_torch.fused(given)}
    if find_spec("jax"):
        import with_jax

        found["JAX"] = with_jax.recorded(given)
    for name in found.keys() - {"nn unobserved"}:
        agree.check(given, ours, found[name], name)
    return found


def watched(rounds: int) -> list[Row]:
    """A training step of a PyTorch model (forward, loss, backward, clipping, Adam): alone, watched and not recorded, recorded; and forward
    and backward of a loop by hand with retain_grad and the same norms, means and saturation."""
    if not find_spec("torch"):
        return []
    import watching

    rows: list[Row] = []
    for size in STEP_SIZES:
        for cell in CELLS:
            with ExitStack() as leave:
                times = medians(watching.contenders(cell, size, leave), 3 * rounds)
            row = {"cell": cell, "size": str(size), **times, "not recorded / alone": times["not recorded"] / times["alone"]}
            extra = (times["recorded"] - times["alone"]) / times["loop, retain_grad"]
            rows.append({**row, "recorded / alone": times["recorded"] / times["alone"], "(recorded - alone) / loop": extra})
    return rows


def memory_of(rounds: int) -> list[Row]:
    """Peak memory of the process that trains with everything recorded at every update."""
    return [memory.measure(updates, steps) for updates, steps in memory.CASES]


def throughput(rounds: int) -> list[Row]:
    """A character language model (embedding 64, LSTM of 128 units, 100 characters, batch 32, Adam, clipping): thousand tokens a second."""
    if not find_spec("torch"):
        return []
    import language

    times = medians(language.contenders(), rounds)
    rates = {name: language.TOKENS / milliseconds for name, milliseconds in times.items()}
    return [{**rates, **{f"recorded / {name}": rates["recorded"] / rates[name] for name in ("bare", "nn.LSTM", "PyTorch loop")}}]


def quality(rounds: int) -> list[Row]:
    """Held-out bits per character of that model, from the same weights on the same batches."""
    if not find_spec("torch"):
        return []
    import language

    return [{"updates": updates, **language.quality(updates)} for updates in (250, 1000)]


def lyapunov(rounds: int) -> list[Row]:
    """The Lyapunov spectrum, all exponents, along a sequence; in double precision, beside PyTorch's vmap(jacrev) and QR."""
    return _instrument(
        "spectra", [(cell, steps, units) for cell in CELLS for steps, units in ((1000, 32), (250, 128), (1000, 128))], rounds
    )


def matrix(rounds: int) -> list[Row]:
    """The gradient matrix of one sequence in double precision, beside PyTorch's jacrev of all losses and beside one pass times T/8."""
    rows = _instrument("matrices", [(cell, steps, units) for cell in CELLS for steps, units in ((50, 64), (200, 64))], rounds)
    for row in rows:
        row["gradviz / (one pass × T/8)"] = float(str(row["gradviz"])) / (float(str(row["one pass"])) * int(str(row["steps"])) / 8)
    return rows


def _instrument(name: str, cases: list[tuple[str, int, int]], rounds: int) -> list[Row]:
    if not find_spec("torch"):
        return []
    import dynamics

    rows: list[Row] = []
    for cell, steps, units in cases:
        times = medians(getattr(dynamics, name)(dynamics.Case(cell, steps, units)), max(1, rounds // 3))
        rows.append({"cell": cell, "steps": steps, "units": units, **times, "jacrev / gradviz": times["jacrev"] / times["gradviz"]})
    return rows


def pictures(rounds: int) -> list[Row]:
    """From frames to a plotly figure, tables read: six runs (the demo's on text), and one run of 100,000 training steps."""
    import charts

    rows: list[Row] = []
    for name, contenders in charts.pictures().items():
        times = medians(contenders, max(1, rounds // 3))
        rows.append({"chart": name, "describe": times["describe"], "figure": times["figure"],
                     "together": times["describe"] + times["figure"], "100,000 steps": times["100,000 steps"]})  # fmt: skip
    return rows


def reports(rounds: int) -> list[Row]:
    """A comparison as one HTML file, in a process of its own: seconds, not milliseconds."""
    import charts

    return charts.reports()


def dashboard(rounds: int) -> list[Row]:
    """What a reader of the dashboard waits for, in Chromium, with the demo's nine runs; and the server's memory."""
    if not find_spec("playwright"):
        return []
    import dashboard as readers

    return readers.measure(max(1, rounds // 3))


MEASURES: dict[str, Callable[[int], list[Row]]] = {
    "step": step, "products": products, "peers": peers, "watched": watched, "memory": memory_of, "throughput": throughput,
    "quality": quality,
    "lyapunov": lyapunov, "matrix": matrix, "charts": pictures, "reports": reports, "dashboard": dashboard,
}  # fmt: skip


def table(rows: list[Row]) -> str:
    """As Markdown."""
    if not rows:
        return "What is needed for this is not installed (PyTorch, or playwright for the dashboard)."
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([_said(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _said(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) and value < 10 else f"{value:.0f}" if isinstance(value, float) else str(value)


def machine() -> dict[str, object]:
    """What the figures depend on."""
    packages = {name: version(name) for name in ("numpy", "torch", "jax") if find_spec(name)}
    return {
        "python": platform.python_version(), **packages, "cores": cores.available(), "gradviz threads": cores.threads(),
        "BLAS threads of gradviz": 1, "threads of PyTorch and JAX": "all cores", "processor": platform.processor() or platform.machine(),
    }  # fmt: skip


def kept(path: Path) -> dict[str, list[Row]]:
    """What is in the file already: tables that are not measured this time stay."""
    found: dict[str, list[Row]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {name: rows for name, rows in found.items() if name in MEASURES}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="where the numbers go")
    parser.add_argument("--rounds", type=int, default=9, help="how often each contender runs (default 9)")
    parser.add_argument("--only", nargs="+", choices=tuple(MEASURES), default=tuple(MEASURES), help="which tables")
    arguments = parser.parse_args()
    about, results = machine(), kept(arguments.json)
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print("Sizes are (batch, time, inputs, units); times are milliseconds.")
    for name in arguments.only:
        results[name] = MEASURES[name](arguments.rounds)
        print(f"\n{MEASURES[name].__doc__}\n\n{table(results[name])}", flush=True)
    arguments.json.write_text(json.dumps({"machine": about, **results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
