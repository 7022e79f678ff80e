"""Orders and reports as JSON, for the rows that keep them until they have been told; an order as a call's context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflows.events import CallContext, Person
from ivr.ports import Callee, CallOrder, CallReport, Disposition, PersonResult
from storage.database import from_millis, to_millis


def order_to_json(order: CallOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "flow": order.flow,
        "callees": [
            {
                "id": each.id,
                "spoken_name": each.spoken_name,
                "language": each.language,
                "records": each.records,
                "transcribes": each.transcribes,
                "variables": dict(each.variables),
            }
            for each in order.callees
        ],
        "variables": dict(order.variables),
        "ring_s": order.ring_s,
        "trunk": order.trunk,
        "for_call": order.for_call,
    }


def order_from_json(data: Mapping[str, Any]) -> CallOrder:
    return CallOrder(**{**data, "callees": tuple(Callee(**each) for each in data["callees"])})


def context_of(order: CallOrder) -> CallContext:
    """What a session must know of its call. Recording needs everybody's consent."""
    people = tuple(Person(each.id, each.spoken_name, each.language, dict(each.variables)) for each in order.callees)
    return CallContext(people, dict(order.variables), consent_recording=all(c.records for c in order.callees))


def report_to_json(report: CallReport) -> dict[str, Any]:
    return {
        "id": report.id,
        "at": to_millis(report.at),
        "final": report.final,
        "disposition": report.disposition,
        "people": [
            {"id": each.id, "result": each.result, "evidence": each.evidence, "detail": dict(each.detail)}
            for each in report.people
        ],
        "alarm": report.alarm,
        "alarm_person": report.alarm_person,
        "reason": report.reason,
    }


def report_from_json(data: Mapping[str, Any]) -> CallReport:
    return CallReport(
        id=data["id"],
        at=from_millis(data["at"]),
        final=data["final"],
        disposition=Disposition(data["disposition"]) if data["disposition"] else None,
        people=tuple(PersonResult(**each) for each in data["people"]),
        alarm=data["alarm"],
        alarm_person=data["alarm_person"],
        reason=data["reason"],
    )
