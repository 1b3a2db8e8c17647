"""What does watching cost? A bare training step against the same step with everything recorded, interleaved in one process.

Run: python benchmarks/recording.py        (OPENBLAS_NUM_THREADS=1 is set here: one thread)
Prints medians in milliseconds and their ratio; with --json FILE also writes them.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model, Recording
from gradviz.network import Network
from gradviz.recording.recorder import Recorder

SIZES = [(32, 100, 64, 128), (32, 100, 2, 64)]  # batch, time, inputs, units
ROUNDS = 15


class Nowhere:
    """Takes rows as the store does, and lets them go: the disk is not what is measured."""

    def append(self, table: str, row: dict[str, object]) -> None:
        pass


def step(network: Network, batch: Batch, d_outputs: Array) -> None:
    run = network.forward(batch.inputs, reuse=True)
    network.backward(run, d_outputs)


def measure(cell: str, size: tuple[int, int, int, int]) -> dict[str, object]:
    examples, steps, inputs, units = size
    rng = np.random.default_rng(0)
    network = Network(Model(cell=CELLS[cell](), units=units), Signature(inputs, 8, False, "squared"))
    values = rng.standard_normal((steps, examples, inputs)).astype(np.float32)
    batch = Batch(values, rng.standard_normal((steps, examples, 8)).astype(np.float32))
    d_outputs = rng.standard_normal((steps, examples, 8)).astype(np.float32)
    recorder = Recorder(network, Recording(every=1, reach_every=0, probe_every=0), Nowhere(), batch, 10)
    times: dict[str, list[float]] = {"bare": [], "recorded": []}
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        step(network, batch, d_outputs)
        between = time.perf_counter()
        with recorder.watching(0, batch):
            step(network, batch, d_outputs)
        times["bare"].append(between - began)
        times["recorded"].append(time.perf_counter() - between)
    bare, recorded = (1000 * statistics.median(times[name][1:]) for name in ("bare", "recorded"))
    return {"cell": cell, "size": size, "bare": bare, "recorded": recorded, "ratio": recorded / bare}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    print(f"NumPy {np.__version__}, Python {platform.python_version()}, one BLAS thread, float32, median of {ROUNDS}")
    print(f"{'cell':<6} {'batch, time, inputs, units':<28} {'bare ms':>9} {'recorded ms':>12} {'ratio':>7}")
    rows = [measure(cell, size) for size in SIZES for cell in ("rnn", "gru", "lstm")]
    for row in rows:
        print(f"{row['cell']:<6} {row['size']!s:<28} {row['bare']:>9.2f} {row['recorded']:>12.2f} {row['ratio']:>7.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
