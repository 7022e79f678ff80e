"""How long each kind of data is kept (docs/privacy.md). Days count from the moment in `since`; a row whose moment is
not there yet (a case that is open, a call that goes on) is not touched.

The law gives the measure, not the numbers: the shortest time that the purpose needs (PIPL art. 19). The numbers are
this project's choice; a committee whose archive rules ask for other ones changes them here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

CASES = "a closed case may be asked about again"
CALLS = "who was rung when is asked after a complaint about calls"


@dataclass(frozen=True)
class Period:
    """`since`: a column of `table`, or of the row that `path` leads to (columns that refer upwards, one after the
    other). `blank`: only these columns are emptied; without them the row goes. `only`: SQL of which rows. `call`: the
    column that names the call; with it the rows of calls that an open case rests on stay."""

    kind: str
    days: int
    table: str
    since: str
    why: str
    path: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()
    only: str = ""
    call: str = ""

    def until(self, now: datetime) -> datetime:
        return now - timedelta(days=self.days)


@dataclass(frozen=True)
class Files:
    """Files of DATA_DIR/`folder`, by the day in their name or folder."""

    kind: str
    days: int
    folder: str
    why: str

    def until(self, now: datetime) -> datetime:
        return now - timedelta(days=self.days)


AUDIO = Files("录音 recordings", 90, "recordings", "staff have heard them by then; an open case keeps its own")
SHEETS = Files("名单 morning sheets", 14, "sheets", "the hand list of one morning")
FILES = (AUDIO, SHEETS)


def _rows(kind: str, days: int, why: str, *rows: tuple[str, str, tuple[str, ...]]) -> tuple[Period, ...]:
    return tuple(Period(kind, days, table, since, why, path) for table, since, path in rows)


# Children stand before the rows that they refer to.
ROWS: tuple[Period, ...] = (
    Period("接口回执 API answers", 1, "api_answer", "at", "a request comes again within a day or never"),
    Period("外发 messages", 30, "outgoing_message", "sent_at", "other programs have been told"),
    Period("登录 sessions", 1, "account_session", "ends_at", "it is over"),
    Period("文字 transcripts", 90, "transcripts", "created_at", "an aid to the recording", call="call_id"),
    Period("文字 transcripts", 90, "checkin", "closed_at", "an aid to the recording", blank=("answer",)),
    Period("回呼 webhooks", 30, "webhook_inbox", "ended_at", CALLS, ("call_id",), call="call_id"),
    Period("通话 calls", 180, "call_news", "told_at", CALLS, call="call_id"),
    Period("通话 calls", 180, "carrier_recording", "deleted_at", CALLS, call="call_id"),
    Period("通话 calls", 180, "call_event", "ended_at", CALLS, ("call_id",), only="kind <> 'listened'", call="call_id"),
    Period("通话 calls", 180, "call", "ended_at", CALLS, blank=("number", "call_order", "session", "verbs"), call="id"),
    Period("通话 calls", 180, "call_intent", "settled_at", CALLS, blank=("number",), call="id"),
    *_rows(
        "问安 check-ins",
        365,
        CASES,
        ("telling", "done_at", ()),
        ("checkin_event", "closed_at", ("checkin_id",)),
        ("intent_checkin", "closed_at", ("checkin_id",)),
    ),
    Period("问安 check-ins", 365, "device_event", "received_at", CASES, only="applied_at IS NOT NULL"),
    Period("问安 check-ins", 365, "checkin", "closed_at", CASES),
    *_rows("待办 items", 365, "what was done is known", ("item", "done_at", ())),
    *_rows(
        "告警 alarms",
        365,
        "what was wrong with the line",
        ("alarm_way", "over_at", ("alarm_id",)),
        ("alarm", "over_at", ()),
    ),
    *_rows("联系 contacts", 730, "the street asks for the year before", ("contact", "at", ())),
    *_rows(
        "一键通 tickets",
        730,
        CASES,
        ("ticket_dictation", "closed_at", ("ticket_id",)),
        ("ticket_event", "closed_at", ("ticket_id",)),
        ("ticket_booking", "closed_at", ("ticket_id",)),
        ("ticket", "closed_at", ()),
    ),
    *_rows(
        "诉求 complaints",
        1095,
        CASES,
        ("complaint_meeting_party", "closed_at", ("plan_id", "complaint_id")),
        ("complaint_meeting_plan", "closed_at", ("complaint_id",)),
        ("complaint_meeting", "closed_at", ("complaint_id",)),
        ("complaint_dictation", "closed_at", ("complaint_id",)),
        ("complaint_event", "closed_at", ("complaint_id",)),
        ("complaint_reply", "closed_at", ("complaint_id",)),
    ),
    Period("诉求 complaints", 1095, "complaint", "closed_at", CASES, blank=("caller_number", "place", "text")),
    Period("诉求 complaints", 1095, "complaint", "closed_at", CASES),
    *_rows(
        "公告 notices",
        365,
        "who has not heard it was seen to",
        ("notice_event", "valid_until", ("notice_id",)),
        ("notice_hearer", "valid_until", ("notice_id",)),
    ),
    *_rows("打钩 ballots", 365, "the result was told", ("ballot_call", "sealed_at", ("ballot_id",))),
    Period(
        "打钩 ballots",
        365,
        "ballot_slot",
        "sealed_at",
        "the result was told",
        ("ballot_id",),
        blank=("owners", "phone", "label", "holder"),
    ),
    Period("账号 accounts", 1095, "account_event", "at", "who could do what, for as long as cases are kept"),
)

# What no period deletes, and why; all tables stand in ROWS or here (a test asks).
STAYS = {
    "person": "for as long as somebody is on the list",
    "person_event": "proofs of consent, for as long as the person is in the register",
    "neighbourhood": "the committee itself",
    "calendar_day": "no personal data",
    "pin": "for as long as a buddy logs by telephone",
    "device": "for as long as it hangs there",
    "roster_duty": "the roster that holds",
    "roster_family": "the roster that holds",
    "roster_leave": "the roster that holds",
    "roster_override": "the roster that holds",
    "roster_pair": "the roster that holds",
    "roster_shift": "the roster that holds",
    "roster_substitute": "the roster that holds",
    "roster_turn": "the roster that holds",
    "roster_change": "who changed the roster",
    "notice": "written by staff, without names",
    "ballot": "the result",
    "ballot_topic": "the result",
    "ballot_choice": "the result: papers in a box",
    "ballot_event": "who did what, never what was chosen",
    "ballot_member": "who was on the roll",
    "ballot_proxy": "owners' votes are contested years later",
    "account": "for as long as somebody works here",
    "api_token": "what it did keeps its name",
    "outgoing_endpoint": "who set it, for as long as it is told, and after",
    "office_event": "who gave lists out",
    "keep_run": "what was deleted when: no personal data",
}
