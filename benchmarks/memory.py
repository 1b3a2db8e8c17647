"""Memory of a recorded training: it grows with the buffers of a sequence, not with the number of updates. Each in a process of its own.

Run by the benchmark: python memory.py UPDATES STEPS prints the peak in MB.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from gradviz.config import Experiment, Model, Recording, Training
from gradviz.tasks import TASKS
from gradviz.training import train

CASES = ((100, 100), (1000, 100), (5000, 100), (100, 1000))  # updates, time steps


def peak() -> float:
    """Peak resident memory of this process in MB; `getrusage` would also count what the process that started it had."""
    (line,) = (line for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure(updates: int, steps: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, str(updates), str(steps)], capture_output=True, text=True, check=True)
    return {"updates": updates, "time steps": steps, "peak MB": float(done.stdout)}


def main() -> None:
    updates, steps = map(int, sys.argv[1:])
    recording = Recording(every=1, reach_every=500, probe_every=500, held_out=8)
    experiment = Experiment(TASKS["adding"](length=steps), Model(units=32), Training(updates=updates, batch=8), recording)
    with tempfile.TemporaryDirectory() as folder:
        train(experiment, Path(folder) / "run")
    print(peak())


if __name__ == "__main__":
    main()
