"""What the line says of a complaint: its number, and by when. Pure."""

from __future__ import annotations

from datetime import datetime

from checkins import promises
from checkins.roster.holidays import Calendar
from community.wrong import Wrong

_FIGURES = "零一二三四五六七八九"
MOST_SPOKEN = 300  # characters: speech.synthesis makes no prompt of more than 400, and nobody keeps more in mind


def number(figure: int) -> str:
    """Figure by figure: 1007 → 一零零七."""
    return "".join(_FIGURES[int(each)] for each in str(figure))


def figure(spoken: str) -> int | None:
    """The number that was spoken so; None: it is none."""
    read = "".join(str(_FIGURES.find(each)) for each in spoken)
    return int(read) if read.isdecimal() else None


def by_when(calendar: Calendar, now: datetime, due: datetime | None) -> dict[str, str]:
    """As the value `answer_by`: 后天下午五点前. Nothing when that moment is over: nobody is promised the past."""
    return {"answer_by": promises.spoken(calendar, now, due)} if due is not None and due > now else {}


def bounded(text: str) -> str:
    """`text`, if the line can speak it in one go; ValueError says how long it may be."""
    if len(text) > MOST_SPOKEN:
        raise Wrong(
            f"电话里最多说{MOST_SPOKEN}个字，这里有{len(text)}个：请写短些",
            f"the line speaks at most {MOST_SPOKEN} characters, these are {len(text)}: say it shorter",
        )
    return text
