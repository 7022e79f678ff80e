"""streamdouble, a foreign Media Streams caller, against our own media server: a daily check-in by key in real time."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamdouble import api, protocol
from streamdouble.scenario import parse
from streamdouble.session import SessionConfig

from house import House, open_house
from ivr.ports import Callee, CallOrder, CallReport, Disposition
from ivr.twilio.config import TwilioConfig
from settings import Settings
from speech.ears import Ears
from tests.conformance.signing_proxy import signing_proxy
from tests.e2e.line import COMMITTEE, ELDER, LINE
from tests.fakes.carrier import ACCOUNT_SID, AUTH_TOKEN

SID = "CA" + "7" * 32
# Keys into each prompt (it must stop), then the goodbye to its end.
WELL = [
    {"wait_for": "audio"},
    {"wait": 0.6},
    {"dtmf": "1"},
    {"wait_for": "clear"},
    {"wait": 1.5},
    {"dtmf": "1"},
    {"wait": 1.5},
    {"dtmf": "2"},
    {"wait_for": "mark"},
    {"expect": "no_violations"},
]


class Kept:
    def __init__(self) -> None:
        self.reports: list[CallReport] = []

    async def call_reported(self, report: CallReport) -> None:
        self.reports.append(report)


async def picked_up(house: House) -> str:
    """A call as the carrier's webhooks have brought it so far; the media stream's token."""
    order = CallOrder("i1", ELDER, "daily_checkin", (Callee("e1", "王阿婆"),), {"committee": COMMITTEE})
    await house.calls.order(order)
    await house.calls.picked_up("i1", SID)
    token = await house.calls.issue_token("i1")
    assert token is not None
    return token


async def test_a_foreign_caller_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_sid", lambda kind: kind + "7" * 32)  # the token counts for its own call only
    settings = Settings(database_url=f"sqlite:///{tmp_path}/wenan.db", data_dir=tmp_path, port=0)

    def config(base_url: str) -> TwilioConfig:
        return TwilioConfig(ACCOUNT_SID, (AUTH_TOKEN,), LINE, base_url, "http://127.0.0.1:9")

    async with open_house(settings, config=config, ears=Ears(())) as house:
        kept = house.calls.outbox.listener = Kept()
        token = await picked_up(house)
        async with signing_proxy(f"ws{house.base_url[4:]}/twilio/media", AUTH_TOKEN) as url:
            caller = SessionConfig(custom_parameters={"token": token}, quiet_period_s=0.5, max_call_s=40)
            report = await api.run_scenario(url, parse({"name": "well", "steps": WELL}), config=caller)
    assert report.spoke
    assert not report.violations
    assert not report.result.failed_expectations
    assert report.result.clears_received >= 2
    (final,) = kept.reports
    assert final.disposition is Disposition.ANSWERED
    assert [(person.result, person.evidence) for person in final.people] == [("well", "key")]
