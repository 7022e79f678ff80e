"""What a simulated city came to: a table on the terminal, and a page with plots. Chinese first, English second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.table import Table

from simulation.city import City
from simulation.measures import Figures

_HOUR, _MINUTE = 3600, 60
_CAPTION = "三个数:中位 / 95 % / 最坏;×:多少次 · three numbers: median / 95th / worst; ×: how many"
_WHO = {
    "elder": "老人自己答好",
    "buddy": "老伙伴",
    "family": "家属",
    "staff": "值班/副班",
    "street": "街道",
    "register": "名册",
}


@dataclass(frozen=True)
class Line:
    """One row of the report. `zh`, `en`: what it is; `values`: text, the median first where there are several."""

    zh: str
    en: str
    values: tuple[str, ...]

    @property
    def text(self) -> str:
        return " · ".join(self.values)


def lines(city: City, figures: Figures, seconds: float) -> list[Line]:
    """The whole report, in order."""
    return [
        *_size(city, figures, seconds),
        *_waits(figures),
        *_lines(figures),
        *_people(city, figures),
        *_verdict(figures),
    ]


def _size(city: City, figures: Figures, seconds: float) -> list[Line]:
    calls = sum(figures.calls.values())
    closed = ", ".join(f"{_WHO[who]} {count:,}" for who, count in figures.ended.most_common())
    return [
        Line("城市", "city", (f"{city.elders:,} elders × {city.days} d", f"{len(city.jobs())} neighbourhoods")),
        Line("电话", "calls", (f"{calls:,}", f"{calls / max(1, figures.elder_days):.2f} per elder and day")),
        Line("结案的人", "closed by", (closed,)),
        Line("用时", "took", (f"{seconds:.0f} s",)),
    ]


def _waits(figures: Figures) -> list[Line]:
    return [
        Line("三次没接 → 有人出发", "last missed call → on the way", _spread(figures.unreached)),
        Line("电话里呼救 → 有人出发", "cry for help → on the way", _spread(figures.emergencies)),
        Line("其他需要人的 → 有人接下", "else a person needed → taken", _spread(figures.others)),
        Line("出事 → 有人出发", "in trouble → on the way", _spread(figures.trouble)),
        Line("出事 → 有人在身边", "in trouble → somebody there", _spread(figures.helped)),
        Line("最后一天之后才会问到", "in trouble after the last check-in", (f"{figures.unseen:,}",)),
    ]


def _lines(figures: Figures) -> list[Line]:
    busy = sum(figures.lines.values())
    above = [most for most in sorted(figures.lines) if _share_within(figures, most) >= 0.99]
    usual = f"{above[0]} for 99 % of {busy // _HOUR:,} h" if above else "–"
    return [
        Line("同时通话(每街区)", "calls at once", (_three(figures.peaks, "lines"), usual)),
        Line("约定时间 → 第一次拨打", "slot → first call", _spread(figures.waits)),
    ]


def _share_within(figures: Figures, most: int) -> float:
    busy = sum(figures.lines.values())
    return sum(seconds for lines, seconds in figures.lines.items() if lines <= most) / max(1, busy)


def _people(city: City, figures: Figures) -> list[Line]:
    days = f"in {city.days} d"
    return [
        Line("每位老伙伴接下的次数", "accepted, each buddy", (_three(figures.buddy_tasks, f"cases {days}"),)),
        Line("每位老伙伴接到的电话", "rung, each buddy", (_three(figures.buddy_calls, f"calls {days}"),)),
        Line("值班电话(每街区白天)", "staff rung, a day", (_three(figures.shift_calls, "calls"),)),
        Line("值班电话(每街区夜里)", "staff rung, a night", (_three(figures.night_calls, "calls"),)),
        Line("值班工作时间(每街区白天)", "staff at work, a day", (_three(figures.shift_work, "min, all together"),)),
    ]


def _verdict(figures: Figures) -> list[Line]:
    rules = ", ".join(f"{what}: {count}" for what, count in figures.broken.items()) or "0"
    warned = [Line("计划提醒", "the planner warns", (what, f"{count}×")) for what, count in figures.warnings.items()]
    return [
        *warned,
        Line("没有结案的老人·天", "elders' days with no closed case", (f"{figures.open_at_end:,}",)),
        Line("违反的规则", "rules broken", (rules,)),
    ]


def _spread(seconds: Sequence[int]) -> tuple[str, ...]:
    if not seconds:
        return ("–",)
    return " / ".join(_span(value) for value in spread(seconds)), f"{len(seconds):,}×"


def spread(values: Sequence[int]) -> tuple[int, int, int]:
    """Median, 95th percentile, worst."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], ordered[-1]


def _three(values: Sequence[int], unit: str) -> str:
    return " / ".join(f"{value:,}" for value in spread(values)) + f" {unit}" if values else "–"


def _span(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.1f} min"
    return f"{seconds / _HOUR:.1f} h"


def show(found: Sequence[Line], out: Console) -> None:
    """Two columns, so that a narrow terminal shows all of it."""
    table = Table(title="模拟 · simulation", caption=_CAPTION, show_header=False, show_lines=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in found:
        table.add_row(f"{line.zh}\n[dim]{line.en}[/dim]", escape_markup(line.text))
    out.print(table)


def write(found: Sequence[Line], pictures: Sequence[tuple[Path, str]], folder: Path) -> Path:
    """report.html beside its pictures."""
    rows = "\n".join(_ROW.format(zh=escape(line.zh), en=escape(line.en), values=escape(line.text)) for line in found)
    images = "\n".join(
        f'<figure><img src="{escape(path.name)}" alt=""><figcaption>{escape(text)}</figcaption></figure>'
        for path, text in pictures
    )
    page = folder / "report.html"
    page.write_text(_PAGE.format(caption=_CAPTION, rows=rows, images=images), "utf-8")
    return page


_ROW = "<tr><th>{zh}<br><small>{en}</small></th><td>{values}</td></tr>"
_PAGE = """<!doctype html>
<html lang="zh"><meta charset="utf-8"><title>问安 · 模拟</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
table {{ border-collapse: collapse }}
th, td {{ text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #ddd }}
th {{ font-weight: normal }} small, figcaption {{ color: #666 }} figure {{ margin: 2rem 0 }} img {{ max-width: 100% }}
</style>
<h1>问安 · 模拟 <small>simulation</small></h1>
<p><small>{caption}</small></p>
<table>
{rows}
</table>
{images}
</html>
"""
