"""How long something takes, told so that neither a busy nor a slow machine fails the suite.

A limit says what a slip of a magnitude would break: ten times what it takes on a quiet machine, or more. The budgets
themselves are proven by the benchmarks, on a machine that does nothing else.
"""

import time
from collections.abc import Callable


def cpu_secs(action: Callable[[], object], *, runs: int = 3) -> float:
    """Seconds of CPU of the quickest of several runs: whatever else goes on only ever adds to them."""
    return min(_once(action) for _ in range(runs))


def _once(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began
