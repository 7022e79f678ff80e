"""What the commands `cases …` do: complaints heard, answered, discussed, closed. Each returns an exit status; they work
beside a running server. What staff say is kept with their name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.orm import Session

from checkins import phones
from checkins.names import named
from checkins.schedule import at_minute, read_minute
from checkins.spreadsheet import to_csv
from cli.people_commands import find_person
from cli.spoken_files import clock, copy_all, log_listening, path_of, say, stored, tell_broken, unheard
from community import level_above as street
from community import meetings, readable, rows, staff
from community.desk import STATUS_ZH, Shown, listed, look
from community.meeting_tables import Ask
from community.policy import Deadlines
from community.tables import Complaint, Dictation, Outcome
from database_in_use import read, write
from ivr import transcripts
from settings import Settings

EXPORT = (
    *("编号", "日期", "类别", "地点", "状态", "公开", "经办人", "听取人", "听取时间"),
    *("答复轮次", "未解决次数", "上报", "结案人", "结案时间", "结案原因", "议事厅文字"),
)
_NEIGHBOUR = "邻居"  # with whom they meet, where nobody has written it: a name is written by who means to
_WISH_ZH = {"public": "可公开", "private": "不公开", "unknown": "没有说"}
_KNOWS: Mapping[str | None, str] = {
    Ask.CHOOSE: "is asked for a time",
    Ask.AGREE: "is asked whether the time suits",
    Ask.TOLD: "does not know yet when it is: is rung",
    Ask.REMIND: "knows when it is: is reminded",
    Ask.AFTER: "was told, or a person tells them: is asked what came of it",
    None: "is asked nothing by the line",
}
_SAID = {"solved": Outcome.SOLVED, "not-solved": Outcome.NOT_SOLVED, "talk": Outcome.TALK}


def _deadlines(settings: Settings) -> Deadlines:
    return Deadlines(timedelta(hours=settings.complaint_heard_hours), settings.complaint_answer_days)


# ── looking ───────────────────────────────────────────────────────────────────────────────────────


async def show_all(settings: Settings, committee: str, out: Console, *, everything: bool) -> int:
    """3: something is overdue."""
    now = datetime.now(UTC)
    found = await read(settings, lambda session: listed(session, committee, everything=everything))
    broken = await read(settings, readable.complaints)
    table = Table(Column("number", no_wrap=True), "", "who", "what, where", "owner", box=None, pad_edge=False)
    table.add_column("due", no_wrap=True)
    for each in found:
        row, late = each.row, each.due is not None and each.due <= now
        due = f"[red]{_soon(each.due, each.zone)}[/red]" if late else _soon(each.due, each.zone)
        above = "上报" if row.level_above else ""
        unsolved = f"{row.rounds}次没解决" if row.rounds else ""
        status = " ".join(filter(None, (STATUS_ZH[row.status], unsolved, above)))
        matter = " ".join(filter(None, (row.category, _escaped(row.place or ""))))
        table.add_row(str(row.number), status, _escaped(each.who), matter, _escaped(row.owner or ""), due)
    out.print(table if found else "no complaints" if everything else "no complaint is open")
    tell_broken(out, broken)
    return 3 if broken or any(each.due is not None and each.due <= now for each in found) else 0


async def show(settings: Settings, number: int, out: Console) -> int:
    """Everything about one: what was said, answered, discussed, by whom and when."""
    one, second = await read(settings, lambda session: _with_texts(session, number))
    row, zone = one.row, one.zone
    facts = {
        "status": STATUS_ZH[row.status],
        "who": " ".join(filter(None, (one.who, phones.national(one.number)))) or "a stranger without a number",
        "since": clock(row.opened_at, zone),
        "what, where": f"{row.category or '?'}, {row.place or '?'}{'' if row.sorted_by else ' (suggested)'}",
        "wish": _WISH_ZH[row.wish],
        "owner": row.owner or "nobody",
        "to be heard by": clock(row.heard_due, zone),
        "to be answered by": clock(row.answer_due, zone),
        "unsolved": f"{row.rounds} answers{', 上报' if row.level_above else ''}"
        if row.rounds or row.level_above
        else "",
        "for the 议事厅": row.text or "",
        "closed": f"{clock(row.closed_at, zone)} {row.closed_by} ({row.close_reason})" if row.closed_at else "",
    }
    for name, value in facts.items():
        if value:
            say(out, f"{name + ':':18} {value}")
    _dictations(out, settings, one.dictations, second)
    for reply in one.replies:
        answer = reply.text or f"recorded: {path_of(settings, reply.recording or '')}"
        say(out, f"reply {reply.round} ({reply.by}, {clock(reply.at, zone)}): {answer} → {_outcome(reply.outcome)}")
    for meeting in one.meetings:
        came = f" → {meeting.outcome} ({meeting.noted_by})" if meeting.outcome else ""
        say(out, f"meeting {clock(meeting.at, zone)}, {meeting.place}, {meeting.with_whom}{came}")
    for party in one.parties:
        rung = f", {clock(party.due, zone)}" if party.due is not None else ""
        by_person = "; a person rings them" if party.item else ""
        say(out, f"party {party.name} {phones.national(party.number)}: {_KNOWS[party.ask]}{rung}{by_person}")
    for event in one.events:
        say(out, f"{clock(event.at, zone)}  {event.what:12} {event.who}  {_plain(event.detail)}")
    return 0


async def export(settings: Settings, committee: str, file: Path | None, out: Console) -> int:
    """A table of all complaints, without names and without what was spoken."""
    found = await read(settings, lambda session: listed(session, committee, everything=True))
    said = f"{len(found)} complaints, without names. Places may say who it is: keep it."
    return await _written(EXPORT, [_exported(each) for each in found], file, out, said)


async def export_for_street(settings: Settings, committee: str, file: Path | None, out: Console) -> int:
    """A table of what is marked for the level above; whose it is only where they have agreed to that."""
    found = await read(settings, lambda session: street.for_street(session, committee))
    said = f"{len(found)} complaints for the street office. It may go there, and nowhere else."
    return await _written(street.HEADINGS, found, file, out, said)


async def _written(
    headings: Sequence[str], found: Sequence[Sequence[object]], file: Path | None, out: Console, said: str
) -> int:
    text = to_csv([headings, *(["" if value is None else str(value) for value in cells] for cells in found)])
    if file is None:
        out.out(text, end="", highlight=False)
        return 0
    try:
        await asyncio.to_thread(file.write_bytes, text.encode("utf-8-sig"))  # spreadsheets take it for UTF-8
    except OSError as error:
        raise LookupError(f"{file}: {error.strerror}") from None
    out.print(f"{file}: {said}", highlight=False)
    return 0


# ── acts ──────────────────────────────────────────────────────────────────────────────────────────


async def hear(settings: Settings, number: int, by: str, to: Path | None, out: Console, *, told: str = "") -> int:
    """Says where the recordings are, and writes down who listens. `to`: a folder for copies that any player plays.
    What can't be listened to isn't heard; who has rung them instead says what they were told (`told`)."""
    now, found = datetime.now(UTC), await read(settings, lambda session: look(session, number))
    why = "" if told.strip() else await asyncio.to_thread(_not_to_be_heard, settings, found)

    def work(session: Session) -> tuple[Shown, dict[str, Any]]:
        one, second = _with_texts(session, number)
        if [each.id for each in one.dictations] != [each.id for each in found.dictations]:
            raise ValueError("more of it has come at this very moment: once more, please")
        if not why:
            staff.hear(session, number, by, now, told.strip())
        log_listening(session, one.dictations, named(by), now)
        return one, second

    one, second = await write(settings, work)
    _dictations(out, settings, one.dictations, second)
    if to is not None:
        await copy_all(settings, number, one.dictations, to, out)
    if why:
        raise ValueError(f"{number} still waits to be heard: {why}. Ring them, then `cases hear {number} --told WORDS`")
    say(out, f"{number} was heard by {by}. To be answered by {clock(one.row.answer_due, one.zone) or 'nobody'}.")
    return 0


def _not_to_be_heard(settings: Settings, one: Shown) -> str:
    """Why what nobody has heard yet can't be listened to; "": it can."""
    last = max((event.at for event in one.events if event.what == staff.HEARD), default=None)
    fresh = [each for each in one.dictations if last is None or each.at > last]
    if not fresh and (last is None or one.row.heard_due is not None):
        return "nothing was recorded, or the recording hasn't come yet (then try again in a minute)"
    return "; ".join(f"{each.name}: {why}" for each in fresh if (why := unheard(settings, each.recording)))


async def reply(settings: Settings, number: int, text: str, recording: Path | None, by: str, out: Console) -> int:
    """The line rings them with it in the hours of calls; a person tells whom it can't ring."""
    now = datetime.now(UTC)

    def work(session: Session, kept: str | None) -> bool:
        return staff.reply(session, number, by, now, text or None, kept).due_at is not None

    async with stored(settings, f"complaint-{number}", "reply", recording, now) as kept:
        rings = await write(settings, lambda session: work(session, kept))
    say(out, "The line rings them with it." if rings else "The line can't ring them: tell them, then `cases said`.")
    return 0


async def said(
    settings: Settings, number: int, outcome: str, words: str, by: str, out: Console, *, in_person: bool = False
) -> int:
    """What they said to somebody who told them the answer."""
    if outcome not in _SAID:
        raise ValueError(f"say one of {', '.join(_SAID)}")
    which, deadlines = _SAID[outcome], _deadlines(settings)

    def work(session: Session, now: datetime) -> Complaint:
        return staff.said(session, number, which, words, by, now, deadlines, in_person=in_person)

    return await _act(settings, out, work)


async def discuss(settings: Settings, number: int, who: str, text: str, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.discuss(session, number, who, text, by, now))


async def meet(
    settings: Settings,
    number: int,
    at: str,
    place: str,
    with_whom: str,
    outcome: str,
    by: str,
    out: Console,
    *,
    cancel: str = "",
    offered: Sequence[str] = (),
    other: str = "",
) -> int:
    """Books a meeting, or has the line offer these times; with `outcome`, writes down what came of one; with `cancel`,
    why it isn't. Which, `at` says; without it the rules do (community.meeting_state)."""

    def work(session: Session, now: datetime) -> Complaint:
        if sum(map(bool, (outcome, cancel, offered))) > 1 or (at and offered):
            raise ValueError("either --at, or --offer, or it took place (--outcome), or it didn't (--cancel)")
        zone = rows.calendar(session, rows.by_number(session, number)).zone
        which = _moment(at, zone) if at else None
        if outcome:
            staff.met(session, number, outcome, by, now, which)
        elif cancel:
            staff.call_off(session, number, cancel, by, now, which)
        elif offered:
            times, other_id = [_moment(each, zone, "--offer") for each in offered], _elder(session, other)
            meetings.offer(session, number, times, place, with_whom or (_NEIGHBOUR if other else ""), by, now, other_id)
        else:
            staff.meet(session, number, _moment(at, zone), place, with_whom, by, now)
        return rows.by_number(session, number)

    return await _act(settings, out, work)


def _elder(session: Session, name: str) -> str | None:
    return find_person(session, name, elders=True).id if name else None


async def assign(settings: Settings, number: int, to: str, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.assign(session, number, to, by, now))


async def sort(settings: Settings, number: int, category: str, place: str, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.sort(session, number, category, place, by, now))


async def level_above(settings: Settings, number: int, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.level_above(session, number, by, now))


async def publish(settings: Settings, number: int, text: str, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.publish(session, number, text, by, now))


async def visit(settings: Settings, number: int, found: str, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.visited(session, number, found, by, now))


async def close(settings: Settings, number: int, found: str, by: str, out: Console) -> int:
    return await _act(settings, out, lambda session, now: staff.close(session, number, by, now, found=found))


async def _act(settings: Settings, out: Console, work: Callable[[Session, datetime], Complaint]) -> int:
    """Does it and says how the complaint stands then."""
    now = datetime.now(UTC)
    row = await write(settings, lambda session: work(session, now))
    say(out, f"{row.number}: {STATUS_ZH[row.status]}{f', {row.owner}' if row.owner else ''}")
    return 0


# ── recordings ────────────────────────────────────────────────────────────────────────────────────


def _dictations(out: Console, settings: Settings, said: Sequence[Dictation], second: dict[str, Any]) -> None:
    for each in said:
        better = second.get(each.recording)
        text, engine = (better.text, better.engine) if better else (each.transcript, each.engine)
        sure = better.confidence if better else each.confidence
        how = f"{engine} {sure:.2f}" if engine and sure else engine or "nobody listened"
        say(out, f"{each.name}: 「{text}」 ({how}{f', {each.seconds:.0f} s' if each.seconds else ''})")
        if each.recording:
            say(out, f"  {path_of(settings, each.recording)}")


def _with_texts(session: Session, number: int) -> tuple[Shown, dict[str, Any]]:
    one = look(session, number)
    return one, dict(transcripts.of_calls(session, sorted({each.call_id for each in one.dictations})))


# ── words ─────────────────────────────────────────────────────────────────────────────────────────


def _exported(each: Shown) -> tuple[object, ...]:
    row, zone = each.row, each.zone
    opened, heard, closed = (clock(moment, zone) for moment in (row.opened_at, row.heard_at, row.closed_at))
    begin = (row.number, opened, row.category, row.place, STATUS_ZH[row.status], _WISH_ZH[row.wish], row.owner)
    above = "是" if row.level_above else ""
    done = (len(each.replies), row.rounds, above, each.closed_by)
    return (*begin, row.heard_by, heard, *done, closed, row.close_reason, row.text)


def _soon(moment: datetime | None, zone: str) -> str:
    return clock(moment, zone)[5:]


def _outcome(outcome: str | None) -> str:
    return outcome or "not told yet"


def _plain(detail: dict[str, Any] | None) -> str:
    return " ".join(f"{name}={value}" for name, value in (detail or {}).items() if value not in (None, ""))


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")


def _moment(text: str, zone: str, option: str = "--at") -> datetime:
    day, _, clock = text.strip().replace("T", " ").partition(" ")
    try:
        return at_minute(zone, date.fromisoformat(day), read_minute(clock))
    except ValueError:
        raise ValueError(f'{option}: write "2026-03-02 14:00"') from None
