"""Memory of a recorded training: it grows with the buffers of a sequence, not with the number of updates. Each in a process of its own.

Run by the benchmark: python memory.py UPDATES STEPS prints the peak in MB, of the process and above what it had before training.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from gradviz.config import Experiment, Model, Recording, Training
from gradviz.tasks import TASKS
from gradviz.training import train

CASES = ((100, 100), (1000, 100), (5000, 100), (100, 1000))  # updates, time steps


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


def measure(updates: int, steps: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, str(updates), str(steps)], capture_output=True, text=True, check=True)
    whole, grown = map(float, done.stdout.split())
    return {"updates": updates, "steps": steps, "peak": whole, "grown": grown}


def main() -> None:
    updates, steps = map(int, sys.argv[1:])
    before = peak()
    recording = Recording(every=1, reach_every=500, probe_every=500, held_out=8)
    experiment = Experiment(TASKS["adding"](length=steps), Model(units=32), Training(updates=updates, batch=8), recording)
    with tempfile.TemporaryDirectory() as folder:
        train(experiment, Path(folder) / "run")
    print(peak(), peak() - before)


if __name__ == "__main__":
    main()
