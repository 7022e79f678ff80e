"""What a call came to, from the carrier's words and the session's."""

from __future__ import annotations

import pytest

from callflows.session import Finding
from ivr import endings
from ivr.ports import Disposition


def found(result: str, person: str = "e1") -> Finding:
    return Finding(person, result, "key" if result in ("well", "not_well") else "none", {})


@pytest.mark.parametrize(
    ("status", "sip", "error", "disposition"),
    [
        ("busy", "486", "", Disposition.BUSY),
        ("no-answer", "480", "", Disposition.NO_ANSWER),
        ("canceled", "487", "", Disposition.CANCELLED),
        ("failed", "503", "", Disposition.LINE_ERROR),
        ("failed", "", "", Disposition.LINE_ERROR),
        ("failed", "403", "", Disposition.LINE_ERROR),
        ("failed", "404", "", Disposition.BAD_NUMBER),
        ("failed", "484", "", Disposition.BAD_NUMBER),
        ("failed", "604", "", Disposition.BAD_NUMBER),
        ("failed", "", "13224", Disposition.BAD_NUMBER),
        ("completed", "200", "", None),
        ("ringing", "", "", None),
        ("nonsense", "404", "", None),
    ],
)
def test_calls_that_were_never_picked_up(status: str, sip: str, error: str, disposition: Disposition | None) -> None:
    assert endings.unanswered(status, sip, error) is disposition


@pytest.mark.parametrize(
    ("results", "answered_by", "interrupted", "expected"),
    [
        ([], None, False, (Disposition.INTERRUPTED, [])),
        ([], "human", False, (Disposition.INTERRUPTED, [])),
        ([], "machine_end_beep", False, (Disposition.MACHINE, [])),
        (["hung_up"], None, False, (Disposition.ANSWERED, ["hung_up"])),
        (["hung_up"], "machine_start", False, (Disposition.MACHINE, [])),
        (["machine"], None, False, (Disposition.MACHINE, [])),
        (["well"], "machine_start", False, (Disposition.ANSWERED, ["well"])),  # a hint never ends an answer
        (["silent"], "machine_start", False, (Disposition.ANSWERED, ["silent"])),
        (["well"], None, True, (Disposition.ANSWERED, ["well"])),
        (["hung_up"], None, True, (Disposition.INTERRUPTED, ["interrupted"])),
        (["present_unconfirmed"], None, True, (Disposition.INTERRUPTED, ["interrupted"])),
        (["well", "hung_up"], None, True, (Disposition.ANSWERED, ["well", "interrupted"])),
        (["not_reached", "not_reached"], None, False, (Disposition.ANSWERED, ["not_reached", "not_reached"])),
        (["not_reached", "not_reached"], "machine_end_beep", False, (Disposition.MACHINE, [])),
        (["no_reply", "no_reply"], "machine_start", False, (Disposition.ANSWERED, ["no_reply", "no_reply"])),
        (["not_reached"], None, True, (Disposition.INTERRUPTED, ["not_reached"])),
        (["no_reply"], None, True, (Disposition.INTERRUPTED, ["no_reply"])),
        (["not_logged"], None, True, (Disposition.INTERRUPTED, ["not_logged"])),
        (["accepted", "no_reply"], None, True, (Disposition.ANSWERED, ["accepted", "no_reply"])),
        (["well", "hung_up"], None, False, (Disposition.ANSWERED, ["well", "hung_up"])),
    ],
)
def test_calls_that_were_picked_up(
    results: list[str], answered_by: str | None, interrupted: bool, expected: tuple[Disposition, list[str]]
) -> None:
    disposition, people = endings.answered(
        [found(result) for result in results], answered_by=answered_by, interrupted=interrupted
    )
    assert (disposition, [person.result for person in people]) == expected
