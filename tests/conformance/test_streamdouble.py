"""streamdouble, a foreign Media Streams caller: it and the virtual carrier speak alike."""

from __future__ import annotations

import json
from typing import Any

from streamdouble import api
from streamdouble.scenario import parse
from streamdouble.session import SessionConfig

from tests.conformance.signing_proxy import signing_proxy
from tests.e2e.test_carrier_calls import ELDER, STREAM, dial
from tests.fakes.carrier import AUTH_TOKEN, FakeCarrier
from tests.fakes.tiny_app import TinyApp

ANSWERS_BY_KEY = {
    "name": "two keys",
    "steps": [{"wait_for": "mark"}, {"dtmf": "1"}, {"wait": 0.3}, {"dtmf": "2"}, {"wait_for": "mark"}, {"wait": 0.2}],
}


def shape(value: Any) -> Any:
    """A message without its values: names and types."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value).__name__


def shapes(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {message["event"]: shape(message) for message in messages}


async def test_the_virtual_carrier_and_a_foreign_caller_send_the_same_messages(carrier: FakeCarrier) -> None:
    async with TinyApp({"/voice": STREAM}).serve() as app:
        call = carrier.expect_call(ELDER)
        await dial(carrier, app)
        await call.hears("greet.ask")
        call.presses("1")
        await call.hears("health.ask")
        call.hangs_up()
        await call.ended()
        ours = shapes(app.messages)
        app.messages.clear()
        async with signing_proxy(f"ws{app.base[4:]}/media", AUTH_TOKEN) as url:
            config = SessionConfig(custom_parameters={"token": "x"}, quiet_period_s=0.3, max_call_s=20)
            report = await api.run_scenario(url, parse(ANSWERS_BY_KEY), config=config)
        theirs = shapes(app.messages)
    assert report.spoke
    assert not report.violations
    assert {"connected", "start", "media", "dtmf", "mark"} <= set(theirs)
    odd = {event: (ours.get(event), theirs[event]) for event in theirs if ours.get(event) != theirs[event]}
    assert not odd, json.dumps(odd, indent=1)
