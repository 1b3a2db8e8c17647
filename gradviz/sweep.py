"""Several trainings at once, each in a process of its own, with one BLAS thread each."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gradviz import cores
from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.config import Experiment
from gradviz.errors import GradvizError, RunError
from gradviz.interrupts import Stopped
from gradviz.optimizers import OPTIMIZERS
from gradviz.quantities import QUANTITIES
from gradviz.rates import RATES
from gradviz.recording.reading import read_meta
from gradviz.recording.store import RunWriter
from gradviz.registry import load_file
from gradviz.regularizers import REGULARIZERS
from gradviz.tasks import TASKS
from gradviz.training import Progress, Watch, train

_progress: Any = None  # the worker's end of the queue
_interrupted = False  # whether this worker was told to stop
REPORT_EVERY = 10  # updates between two messages of a worker


def train_all(
    experiments: dict[str, Experiment],
    out: Path,
    *,
    processes: int = 2,
    watch: Watch = lambda progress: None,
    force: bool = False,
    extensions: tuple[Path, ...] = (),
) -> list[Path]:
    """Train each experiment into out/<name>. Returns the folders in the order given. Ctrl-C stops all, each leaving a readable run.

    extensions: files with entries from outside, loaded in every worker.
    """
    out.mkdir(parents=True, exist_ok=True)
    if processes <= 1 or len(experiments) <= 1:
        for name, experiment in experiments.items():
            _train(experiment, out / name, watch, force)
        return [out / name for name in experiments]
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()  # what a worker has put is there before its result is: no last message is lost
    arguments = (queue, [str(path) for path in extensions])
    workers, folders = min(processes, len(experiments)), [out / name for name in experiments]
    try:
        with one_thread(), ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=arguments) as pool:
            jobs: list[Future[str]] = []
            try:
                jobs += (pool.submit(_work, experiment.to_dict(), str(out / name), force) for name, experiment in experiments.items())
                pool.submit(int)  # the pool overlooks the death of a worker that began after its last job was handed in
                _follow(jobs, queue, watch)
            except BaseException:
                _stop(pool, jobs)
                raise
    except BrokenProcessPool as error:
        for folder in folders:
            _close(folder)
        raise GradvizError(
            "a worker process died, perhaps for want of memory, and took the other trainings with it. What they recorded can be read; "
            "train fewer at once, or a smaller model."
        ) from error
    return folders


def _close(folder: Path) -> None:
    """Say of a run whose process is gone that it does not run any more."""
    with suppress(RunError):  # it had not begun
        if read_meta(folder)["status"] == "running":
            RunWriter.reopen(folder).finish("failed", "its process died")


@contextmanager
def one_thread() -> Iterator[None]:
    """Workers read this variable when they import NumPy."""
    old = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if old is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
        else:
            os.environ["OPENBLAS_NUM_THREADS"] = old


def _begin(queue: Any, extensions: list[str]) -> None:
    global _progress
    _progress = queue
    cores.use(1)  # the others have work of their own
    signal.signal(signal.SIGINT, _interrupt_once)
    for path in extensions:  # charts and findings are of no use to a worker
        load_file(Path(path), [CELLS, CLIPPING, OPTIMIZERS, QUANTITIES, RATES, REGULARIZERS, TASKS], required=False)


def _interrupt_once(number: int, frame: Any) -> None:
    """Ctrl-C reaches a worker twice, from the terminal and from `_stop`: the second must not disturb the closing of its run."""
    global _interrupted
    _interrupted = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _work(experiment: dict[str, Any], folder: str, force: bool) -> str:
    def report(progress: Progress) -> None:
        if progress.step % REPORT_EVERY == 0 or progress.step in (1, progress.steps):
            _progress.put(progress)

    if _interrupted:  # the pool had handed this one out already
        raise KeyboardInterrupt
    _train(Experiment.from_dict(experiment), Path(folder), report, force)
    return folder


def _train(experiment: Experiment, folder: Path, watch: Watch, force: bool) -> None:
    with suppress(Stopped):  # it was asked of this one alone
        train(experiment, folder, watch=watch, force=force)


def _follow(jobs: list[Future[str]], queue: Any, watch: Callable[[Progress], None]) -> None:
    """Pass messages on until all are done; the first failure ends everything."""
    waiting = set(jobs)
    while waiting:
        _drain(queue, watch)
        done, waiting = wait(waiting, timeout=0.05, return_when=FIRST_COMPLETED)
        for job in done:
            job.result()
    _drain(queue, watch)


def _drain(queue: Any, watch: Callable[[Progress], None]) -> None:
    while not queue.empty():
        watch(queue.get())


def _stop(pool: ProcessPoolExecutor, jobs: list[Future[str]]) -> None:
    """Interrupt the workers the way Ctrl-C would, so that each closes its run."""
    for job in jobs:
        job.cancel()
    for process in list((pool._processes or {}).values()):
        if process.is_alive() and process.pid is not None:
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(process.pid, signal.SIGINT)
