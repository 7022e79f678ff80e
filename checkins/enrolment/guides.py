"""The guides that hang beside a telephone: one page for buddies, one for staff, as PDF in large type. Pure: facts and a
font that was loaded in, bytes out. What they say is what the flows and the console do (docs/escalation.md, console.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepInFrame, SimpleDocTemplate, Table

from checkins.enrolment.font import FontError, lacking
from checkins.enrolment.lettering import paragraph

SMALLEST = 16.5  # points: of what is read standing, at arm's length
_MARGIN = 14 * mm

Part = tuple[str, Sequence[tuple[str, str]]]  # a heading; what is pressed or seen, and what it means

BUDDIES: Sequence[Part] = (
    (
        "电话打给您",
        (
            ("先按1", "说明您是本人。不按,听不到老人的名字。"),
            ("1 能去", "按了才算您接下来。半小时里去看,再打电话告诉我们。"),
            ("2 去不了", "没关系,马上找别人。"),
        ),
    ),
    (
        "看过以后,打这个电话",
        (
            ("密码 #", "居委会给您的密码,按完再按井号。不告诉别人。"),
            ("1 人没事", "亲眼见到本人才按。"),
            ("2 要帮忙", "有危险先打120。值班的人马上接着办,请留在那里。"),
            ("3 没人开门", "请在门口等。值班的人决定找谁开门。"),
        ),
    ),
    (
        "平时联系老人,也打这个电话",
        (
            ("选一位", "还没有联系的排在前面。"),
            ("1 上门 2 电话", "再按1没什么事,按2不放心,讲给居委会听。"),
            ("3 没联系到", "居委会马上找人去看。"),
        ),
    ),
    (
        "任何时候",
        (("* 再听一遍", "听不清就按。"), ("0 找人", "居委会的人打给您。出门、生病,早点告诉我们。")),
    ),
)

STAFF: Sequence[Part] = (
    (
        "早上",
        (
            ("今天", "红的先看:谁要有人去。每一位写着下一步打给谁、几点打。"),
            ("打印名单", "线路坏了,照名单人工打。"),
            ("值班表", "有红的空缺,马上补上。"),
        ),
    ),
    (
        "有人要处理",
        (
            ("接手", "按了就是您的事,线路不再找别人。"),
            ("待听", "先听录音,再决定:1 平安 2 我来联系 3 派人去看 4 打错了。"),
            ("办结", "写清见到本人没有、情况怎样。没有结果不能办结。"),
        ),
    ),
    (
        "电话打给您",
        (
            ("1 接下来", "25分钟后问您看到了什么。去不了按2,马上找别人。"),
            ("呼救", "先打120或110。只有写了名字和结果才算完。"),
            ("线路报警", "按1表示知道了。再看电脑上写的怎么办。"),
        ),
    ),
    (
        "下班前",
        (
            ("待办", "到期的诉求、回电、要登记的事。"),
            ("请假", "记进值班表,替补的人自动顶上。"),
            ("不放心", "宁可多去一次。机器说好,不算好。"),
        ),
    ),
)


@dataclass(frozen=True)
class Facts:
    """`line`: the number that everybody rings, as people read it."""

    committee: str
    line: str


def for_buddies(facts: Facts) -> bytes:
    """One A4. FontError when the font lacks a sign of it."""
    return _page("老伙伴电话指南", facts, BUDDIES, "遇到危险,先打120或110。老人的事,不告诉别人。我们不问身份证和钱。")


def for_staff(facts: Facts) -> bytes:
    """The same."""
    return _page("值班和工作人员指南", facts, STAFF, "不会就点页面上的“帮助”,跟着走一遍,五分钟。")


def _page(title: str, facts: Facts, parts: Sequence[Part], last: str) -> bytes:
    _check(title, facts, parts, last)
    width, height = A4[0] - 2 * _MARGIN - 12, A4[1] - 2 * _MARGIN - 12
    story: list[Flowable] = [
        paragraph(f"{facts.committee} {title}", 25, center=True),
        paragraph(facts.line, 40, center=True, after=2),
    ]
    for heading, rows in parts:
        story += [paragraph(heading, 20, before=7, after=3), _table(rows, width)]
    story.append(paragraph(last, SMALLEST, before=9))
    out = BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), _MARGIN)
    document = SimpleDocTemplate(out, pagesize=A4, title=title, **margins)
    document.build([KeepInFrame(width, height, story, mode="shrink")])
    return out.getvalue()


def _table(rows: Sequence[tuple[str, str]], width: float) -> Table:
    cells = [[paragraph(left, 18), paragraph(right, SMALLEST)] for left, right in rows]
    table = Table(cells, colWidths=[width * 0.28, width * 0.72])
    table.setStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.5, "black"),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            *((f"{side}PADDING", (0, 0), (-1, -1), 3) for side in ("TOP", "BOTTOM")),
        ]
    )
    return table


def _check(title: str, facts: Facts, parts: Sequence[Part], last: str) -> None:
    words = "".join(heading + "".join(left + right for left, right in rows) for heading, rows in parts)
    if missing := lacking("".join((title, facts.committee, facts.line, words, last, ",:;?"))):
        raise FontError(f"this font has no sign for {missing}: name another with --font")
