"""Figures beside their limits."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rich.console import Console

out = Console()


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def report(what: str, ms: Sequence[float], limit: float | None) -> None:
    """The median of these, beside its limit if it has one."""
    out.print(f"\n[b]{what}[/b] ({len(ms)} samples)")
    middle = statistics.median(ms)
    if limit is None:
        out.print(f"  median {middle:.0f} ms")
    else:
        verdict("median", middle, limit, "ms")
    out.print(f"  95th {percentile(ms, 95):.0f} ms, worst {max(ms):.0f} ms")


def verdict(what: str, value: float, limit: float, unit: str) -> None:
    mark = "[green]✓[/green]" if value <= limit else "[red]✗[/red]"
    out.print(f"  {mark} {what} {value:.2f} {unit} (limit {limit:g}, ratio {value / limit:.2f})")
