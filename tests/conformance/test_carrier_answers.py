"""The virtual carrier's REST, watched by Prism between the official SDK and the carrier: requests and answers both fit
Twilio's OpenAPI document. Skips visibly without node, npm or the document."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.conformance.prism import prism
from tests.e2e.test_carrier_calls import ELDER, LINE, Rerouted
from tests.fakes.carrier import ACCOUNT_SID, AUTH_TOKEN, FakeCarrier


async def test_a_created_call_fits_twilios_document(carrier: FakeCarrier) -> None:
    async with prism("proxy", carrier.base_url, "--errors") as base:
        call = carrier.expect_call(ELDER, "busy")
        client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=Rerouted(base))
        created = await asyncio.to_thread(
            lambda: client.calls.create(to=ELDER, from_=LINE, url="http://127.0.0.1:9/voice", timeout=45)
        )
        await call.ended()
        fetched = await asyncio.to_thread(lambda: client.calls(str(created.sid)).fetch())
        assert (fetched.status, fetched.to) == ("busy", ELDER)


async def test_lists_fit_twilios_document(carrier: FakeCarrier) -> None:
    """All but the page addresses: Twilio and its SDK use paths there, the document says full URIs."""
    account = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
    async with prism("proxy", carrier.base_url) as base, httpx.AsyncClient(base_url=base, trust_env=False) as client:
        for path in (
            f"{account}/Calls.json?To=%2B8621&StartTime%3E=2026-03-02T00:00:00Z",
            f"{account}/Recordings.json",
        ):
            answer = await client.get(path, auth=(ACCOUNT_SID, AUTH_TOKEN))
            assert answer.status_code == 200
            violations = json.loads(answer.headers.get("sl-violations", "[]"))
            odd = [v for v in violations if not (v["code"] == "format" and v["location"][-1].endswith("uri"))]
            assert not odd


async def test_prism_refuses_what_twilio_would() -> None:
    """The referee itself is awake."""
    async with prism("mock") as base:
        client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=Rerouted(base))
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(lambda: client.calls.create(to=ELDER, from_=LINE, timeout="soon"))  # type: ignore[arg-type]
        assert refused.value.status == 422
