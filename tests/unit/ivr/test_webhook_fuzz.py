"""Whatever comes in under /twilio/: no 500, and nothing changes without a signature."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.routes import routes
from ivr.twilio.config import TwilioConfig
from ivr.virtual import twiml
from ivr.virtual.signature import sign

CONFIG = TwilioConfig("AC1", ("token",), "+862155500000", "https://line.example")
PATHS = ("voice", "status", "amd", "verbs", "verbs/key", "verbs/recorded", "verbs/recording")
DOCUMENTS = ("voice", "verbs", "verbs/key", "verbs/recorded")

texts = st.text(max_size=30)
known = st.sampled_from(
    ["CallSid", "CallStatus", "SequenceNumber", "AnsweredBy", "Direction", "Digits", "ErrorCode", "RecordingSid"]
)
values = texts | st.sampled_from(["completed", "busy", "1", "-1", "9" * 40])
forms = st.lists(st.tuples(known | texts, values), max_size=8)
bodies = st.binary(max_size=200) | forms.map(lambda form: urlencode(form).encode())
queries = st.dictionaries(st.sampled_from(["call", "turn", "tries"]) | texts, texts)
kinds = ["application/json", "application/x-www-form-urlencoded", "text/plain", "", "; ;"]
headers = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(kinds),
        "x-twilio-signature": st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
        "host": st.sampled_from(["evil.example", "line.example"]),
    },
)


class Broken:
    """A room in which everything fails; what is called is counted."""

    def __init__(self) -> None:
        self.called = 0

    def now(self) -> datetime:
        """Only the clock goes on: it is not the room's."""
        return datetime(2026, 3, 2, tzinfo=UTC)

    def __getattr__(self, name: str) -> object:
        self.called += 1
        raise OSError("王阿婆")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def app_of(room: Broken) -> FastAPI:
    app = FastAPI()
    app.include_router(routes(room, CONFIG, room, room, room))  # type: ignore[arg-type]
    return app


async def send(app: FastAPI, path: str, body: bytes, header: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.post(f"/twilio/{path}", content=body, headers=header)


FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@FUZZ
@given(path=st.sampled_from(PATHS), body=bodies, header=headers)
def test_unsigned(loop: asyncio.AbstractEventLoop, path: str, body: bytes, header: dict[str, str]) -> None:
    room = Broken()
    answer = loop.run_until_complete(send(app_of(room), path + "?call=i1", body, header))
    assert answer.status_code == 403
    assert room.called == 0


@FUZZ
@given(path=st.sampled_from(PATHS), form=forms, query=queries)
def test_signed_and_everything_inside_fails(
    loop: asyncio.AbstractEventLoop, path: str, form: list[tuple[str, str]], query: dict[str, str]
) -> None:
    target = path + ("?" + urlencode(query) if query else "")
    header = {
        "X-Twilio-Signature": sign("token", f"https://line.example/twilio/{target}", form),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = loop.run_until_complete(send(app_of(Broken()), target, urlencode(form).encode(), header))
    if path in DOCUMENTS:
        assert answer.status_code == 200
        assert twiml.parse(answer.content, answer.headers["content-type"])
    else:
        assert answer.status_code in (204, 400, 503)


@pytest.mark.parametrize("body", [b'{"CallSid": "CA1"}', b"[1]", b'{"a": 1}', b"{", b"\xff", b"[" * 30000])
def test_signed_json_that_is_no_callback(loop: asyncio.AbstractEventLoop, body: bytes) -> None:
    target = f"status?call=i1&bodySHA256={hashlib.sha256(body).hexdigest()}"
    header = {
        "X-Twilio-Signature": sign("token", f"https://line.example/twilio/{target}"),
        "Content-Type": "application/json",
    }
    assert loop.run_until_complete(send(app_of(Broken()), target, body, header)).status_code == 400
