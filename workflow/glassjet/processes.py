"""Several processes for one verb, and none left behind when what started them is gone."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
GRACE = 10.0  # s between the polite signal and SIGKILL


def _birth(pid: int) -> str | None:
    """The start time of a process in clock ticks; None if it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def end_with(pid: int) -> None:
    """End this process when process `pid` is gone, so that no orphan of a killed run writes on."""
    born = _birth(pid)

    def watch() -> None:
        while born is not None and _birth(pid) == born:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


def end_cleanly_on_sigterm() -> None:
    """Turn SIGTERM into SystemExit, so that temporary files are removed on the way out."""
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))


def _begin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends the workers
    end_with(parent)


def over_processes(function: Callable[..., T], tasks: Iterable[tuple[Any, ...]], processes: int) -> Iterator[T]:
    """Yield `function(*task)` for each task in the order of the tasks; at most `2 * processes` wait in memory.

    One process means this one: nothing is started.
    """
    if processes < 2:
        for task in tasks:
            yield function(*task)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(os.getpid(),)) as pool:
        waiting: list[Future[T]] = []
        try:
            for task in tasks:
                waiting.append(pool.submit(function, *task))
                if len(waiting) >= 2 * processes:
                    wait(waiting[:1], return_when=FIRST_COMPLETED)
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise
