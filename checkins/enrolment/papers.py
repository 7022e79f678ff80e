"""Both papers as PDF, in large type. Pure: facts and a font that was loaded in, bytes out; nothing is ever cut off: the
sheet takes as many pages as it needs, the card's type shrinks."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO

from reportlab.lib.pagesizes import A4, A6, landscape
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepInFrame, KeepTogether, SimpleDocTemplate, Spacer, Table

from checkins.enrolment.font import FontError, lacking
from checkins.enrolment.lettering import paragraph

# Purpose, and what it means in two sentences. What is promised here is what the line does (docs/privacy.md).
PURPOSES = (
    ("自动电话", "每天打一个电话,问您身体好不好。不同意的,由居委会的人来联系您。"),
    ("录音", "您讲的话录下来,居委会的人自己听。不同意的,只按键回答,有事由人来问您。"),
    ("写成文字", "电脑把录音写成文字,居委会看起来快。这台电脑不把录音送到外面去。"),
    ("让老伙伴知道", "找不到您,或者您不舒服,就请老伙伴来看您。老伙伴只知道要帮您什么。"),
    ("让家人知道", "找不到您,或者您不舒服,就打电话告诉您家里人。不同意的,平时不打。"),
    ("让街道知道", "居委会办不了的事,可以请街道来办。找不到您又没有人接手,总会打街道的值班电话。"),
)
_KEYS = (
    ("0", "找人说话"),
    ("00", "出事了,马上叫人"),
    ("5", "要帮忙:叫车、挂号、修东西"),
    ("7", "听登记、改登记"),
    ("9", "以后不要打了"),
    ("*", "再听一遍"),
)


@dataclass(frozen=True)
class Facts:
    """`line`: the number that elders ring, as people read it; `hour`: when the line rings, in words. Personal."""

    name: str = field(repr=False)
    committee: str
    line: str
    hour: str


def consent_sheet(facts: Facts) -> bytes:
    """A4, to be filled in by hand. FontError when the font lacks a sign of it."""
    _check(facts)
    story: list[Flowable] = [
        paragraph("电话问安同意书", 28, after=10),
        paragraph(f"姓名:{facts.name}", 22, after=8),
        paragraph(
            f"{facts.committee}每天用自动电话问候您。下面六项,同意哪一项,就在哪一项打勾。可以只同意几项,也可以都不同意。"
        ),
        *(_purpose(number, *each) for number, each in enumerate(PURPOSES, 1)),
        KeepTogether([paragraph("随时可以不要", 20, before=10), *map(paragraph, _REFUSING)]),
        KeepTogether([paragraph("签名", 20, before=10, after=6), _signatures()]),
    ]
    out = BytesIO()
    margins = {"leftMargin": 18 * mm, "rightMargin": 18 * mm, "topMargin": 15 * mm, "bottomMargin": 15 * mm}
    SimpleDocTemplate(out, pagesize=A4, title="电话问安同意书", **margins).build(story)
    return out.getvalue()


_REFUSING = (
    "电话里按9,或者讲“以后不要打了”,或者告诉居委会,都可以。哪一项都能改,下一个电话就算数。不要自动电话的,由人来联系您,别的都照旧。",
    "呼救和报警,不管同意哪一项,都会马上打给值班的人、老伙伴和家人。您身体好不好,是要保护的个人信息。",
)


def fridge_card(facts: Facts) -> bytes:
    """One A6, landscape. It names nobody: whoever comes in sees it."""
    _check(facts)
    page, margin = landscape(A6), 6 * mm
    width, height = page[0] - 2 * margin - 12, page[1] - 2 * margin - 12
    story: list[Flowable] = [
        paragraph(f"{facts.committee}电话问安", 20, center=True),
        paragraph(facts.line, 36, center=True, after=2),
        paragraph(f"每天{facts.hour}打给您", center=True, after=4),
        _keys(width),
        paragraph("真的假的?挂掉,打上面的号码来问。", before=4, center=True),
        paragraph("我们从来不问身份证、钱、密码。", center=True),
        paragraph("要紧的事,打120;报警,打110", 20, center=True),
    ]
    out = BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=page, leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin, title="电话卡"
    )
    document.build([KeepInFrame(width, height, story, mode="shrink")])
    return out.getvalue()


def _check(facts: Facts) -> None:
    written = (*(part for each in PURPOSES for part in each), *_REFUSING, *(word for each in _KEYS for word in each))
    missing = lacking("".join((facts.name, facts.committee, facts.line, facts.hour, *written, "□，：；？")))
    if missing:
        raise FontError(f"this font has no sign for {missing}: name another with --font")


def _purpose(number: int, name: str, meaning: str) -> Flowable:
    boxes = "□ 同意   □ 不同意".replace(" ", "\u00a0")
    head = Table([[paragraph(f"{number} {name}", 20), paragraph(boxes, 20)]], colWidths=[230, 255])
    head.setStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0)])
    return KeepTogether([Spacer(1, 8), head, paragraph(meaning)])


def _signatures() -> Table:
    rows = [("本人签名", "日期"), ("代签的监护人", "关系"), ("居委会经办人", "日期")]
    lines = [[paragraph(left), "", paragraph(right), ""] for left, right in rows]
    table = Table(lines, colWidths=[120, 180, 55, 130], rowHeights=[44] * len(rows))
    table.setStyle(
        [
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
            *(("LINEBELOW", (column, row), (column, row), 1, "black") for row in range(len(rows)) for column in (1, 3)),
        ]
    )
    return table


def _keys(width: float) -> Table:
    """Two columns of a key and what it does."""
    cells = [[paragraph(key, 24, center=True), paragraph(what)] for key, what in _KEYS]
    half = len(cells) // 2
    rows = [[*left, *right] for left, right in zip(cells[:half], cells[half:], strict=True)]
    table = Table(rows, colWidths=[34, width * 0.55 - 34, 34, width * 0.45 - 34])
    table.setStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.5, "black"),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            *((f"{side}PADDING", (0, 0), (-1, -1), 2) for side in ("TOP", "BOTTOM", "LEFT", "RIGHT")),
        ]
    )
    return table
