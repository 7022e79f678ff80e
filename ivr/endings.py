"""What a call came to, decided from what is known when it ends. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from callflows.session import Finding
from ivr.ports import Disposition, PersonResult

FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})  # call statuses that end a call

# The number itself is at fault. SIP: 404 not found, 410 gone, 484 incomplete, 604 exists nowhere (RFC 3261).
_BAD_SIP = frozenset({"404", "410", "484", "604"})
# Twilio's error codes: 21201 no number, 21211 and 21217 not a number, 21214 can't be reached, 13223 and 13224 invalid
# format, 13226 invalid country code.
BAD_NUMBER_CODES = frozenset({13223, 13224, 13226, 21201, 21211, 21214, 21217})

# What doesn't count as an answer when we were the ones who broke off.
_NO_ANSWER_YET = frozenset(
    {"hung_up", "silent", "present_unconfirmed", "machine", "not_reached", "no_reply", "not_logged", "no_word"}
)
_BROKEN_OFF = frozenset({"hung_up", "present_unconfirmed"})  # of these: the elder is rung once more
_NO_PERSON = frozenset({"hung_up", "machine", "not_reached"})  # nobody gave a sign of being a person


def unanswered(status: str, sip_code: str = "", error_code: str = "") -> Disposition | None:
    """The disposition of a call that was never picked up; None for "completed" and for statuses that end nothing."""
    match status:
        case "busy":
            return Disposition.BUSY
        case "no-answer":
            return Disposition.NO_ANSWER
        case "canceled":
            return Disposition.CANCELLED
        case "failed":
            bad = sip_code in _BAD_SIP or error_code in map(str, BAD_NUMBER_CODES)
            return Disposition.BAD_NUMBER if bad else Disposition.LINE_ERROR
    return None


def answered(
    findings: Sequence[Finding], *, answered_by: str | None, interrupted: bool
) -> tuple[Disposition, tuple[PersonResult, ...]]:
    """A call that was picked up. `findings` are the session's at the end (none: no conversation took place);
    `interrupted`: our process died in mid-call. An answer that was clear by then stands."""
    machine = (answered_by or "").startswith("machine")
    if not findings:
        return (Disposition.MACHINE if machine else Disposition.INTERRUPTED), ()
    words = {finding.result for finding in findings}
    if words <= _NO_PERSON and (machine or "machine" in words):
        return Disposition.MACHINE, ()
    if not interrupted:
        return Disposition.ANSWERED, tuple(person_result(finding) for finding in findings)
    clear = bool(words - _NO_ANSWER_YET)
    return (Disposition.ANSWERED if clear else Disposition.INTERRUPTED), tuple(map(_cut_off, findings))


def person_result(finding: Finding) -> PersonResult:
    return PersonResult(finding.person, finding.result, finding.evidence, dict(finding.detail))


def _cut_off(finding: Finding) -> PersonResult:
    """Nobody hung up on us: we broke off. Who had only said that they are there could not say how they are."""
    if finding.result in _BROKEN_OFF:
        return PersonResult(finding.person, "interrupted", "none", dict(finding.detail))
    return person_result(finding)
