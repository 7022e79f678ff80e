"""How sure a counted share is: exact one-sided 95 % upper bounds. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable

LEVEL = 0.95


def share_at_most(events: int, trials: int, level: float = LEVEL) -> float:
    """Clopper–Pearson: the share below which the true one lies with `level` (one-sided). No trials: 1.0."""
    if not 0 <= events <= trials:
        raise ValueError("events must lie between 0 and trials")
    if events == trials:
        return 1.0
    return _where(lambda share: _binomial_cdf(events, trials, share), 1 - level, 0.0, 1.0)


def mean_at_most(events: int, level: float = LEVEL) -> float:
    """The same for a number of independent events in a given time (Poisson): their true mean."""
    if events < 0:
        raise ValueError("events can't be negative")
    return _where(lambda mean: _poisson_cdf(events, mean), 1 - level, 0.0, 10.0 + 3 * events)


def _where(falling: Callable[[float], float], target: float, low: float, high: float) -> float:
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > target else (low, middle)
    return (low + high) / 2


def _binomial_cdf(events: int, trials: int, share: float) -> float:
    if share in (0.0, 1.0):
        return float(share == 0.0 or events == trials)
    logs = (
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(share)
        + (trials - k) * math.log1p(-share)
        for k in range(events + 1)
    )
    return math.fsum(map(math.exp, logs))


def _poisson_cdf(events: int, mean: float) -> float:
    if mean == 0:
        return 1.0
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1))
