"""Whether what a form asks for can be done; in one sentence why not, for whoever asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from community.tables import ComplaintEvent
from community.tickets_tables import TicketEvent
from community.wrong import Unknown, Wrong
from console.audit_words import deed
from console.sounds import GoneError
from ivr.own_voice import NOT_WHOLE


def stale(since: Sequence[ComplaintEvent | TicketEvent], kind: str) -> None:
    """Wrong when something has happened that the page of the form doesn't show."""
    if since:
        last = since[-1]
        who = "线路" if last.who == "line" else last.who
        raise Wrong(
            f"这一页打开以后有变化（{who}{deed(kind, last.what).zh}）。请看过再做一次",
            "it has changed since the page was opened",
        )


async def saved(run: Callable[[], Awaitable[None]]) -> str:
    """Does it; "" when it was done."""
    try:
        await run()
    except (Wrong, Unknown) as no:
        return f"没有保存：{no.zh}。Nothing was saved."
    except GoneError as gone:
        return str(gone)
    except LookupError as no:
        if str(no) == NOT_WHOLE:
            return "没有保存：录音存不下，磁盘可能满了。The recording can't be stored: is the disk full?"
        raise
    except ValueError:
        return "没有保存：名字或内容写得不对。Nothing was saved: a name or a text is wrong."
    return ""
