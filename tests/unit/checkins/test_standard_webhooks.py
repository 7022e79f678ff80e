"""Signed messages: the scheme's own example, and everything that must be refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checkins.standard_webhooks import ID, SIGNATURE, TIMESTAMP, RefusedError, new_secret, signed, verify

SECRET, MESSAGE, BODY = (
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    b'{"test": 2432232314}',
)
NOW = datetime.fromtimestamp(1614265330, UTC)


def test_the_example_of_the_schemes_own_libraries() -> None:
    headers = signed(SECRET, MESSAGE, NOW, BODY)
    assert headers == {
        ID: MESSAGE,
        TIMESTAMP: "1614265330",
        SIGNATURE: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    stamp = verify(SECRET, headers, BODY, NOW + timedelta(minutes=5))
    assert (stamp.message_id, stamp.sent_at) == (MESSAGE, NOW)


def test_one_of_several_signatures_is_enough_while_a_secret_is_changed() -> None:
    headers = signed(SECRET, MESSAGE, NOW, BODY)
    headers[SIGNATURE] = f"v1,AAAA v2,{headers[SIGNATURE][3:]} {headers[SIGNATURE]}"
    assert verify(SECRET, headers, BODY, NOW)


def test_a_secret_is_new_every_time_and_long_enough() -> None:
    assert len({new_secret() for _ in range(20)}) == 20
    secret = new_secret()
    assert verify(secret, signed(secret, MESSAGE, NOW, b""), b"", NOW)


@pytest.mark.parametrize(
    ("change", "late"),
    [
        ({ID: "another"}, 0),
        ({ID: ""}, 0),
        ({ID: "msg.1"}, 0),
        ({ID: "m" * 65}, 0),
        ({TIMESTAMP: "1614265331"}, 0),
        ({TIMESTAMP: ""}, 0),
        ({TIMESTAMP: "٣"}, 0),
        ({TIMESTAMP: "-1"}, 0),
        ({TIMESTAMP: "9" * 40}, 0),
        ({SIGNATURE: ""}, 0),
        ({SIGNATURE: "v1,"}, 0),
        ({SIGNATURE: "v1,救"}, 0),
        ({SIGNATURE: "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, 0),
        ({SIGNATURE: "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, 0),
        ({}, 301),
        ({}, -301),
    ],
)
def test_what_is_refused(change: dict[str, str], late: float) -> None:
    headers = signed(SECRET, MESSAGE, NOW, BODY) | change
    with pytest.raises(RefusedError):
        verify(SECRET, headers, BODY, NOW + timedelta(seconds=late))


def test_another_body_another_secret_and_no_header_at_all_are_refused() -> None:
    headers = signed(SECRET, MESSAGE, NOW, BODY)
    for secret, given, body in ((SECRET, headers, BODY + b" "), (new_secret(), headers, BODY), (SECRET, {}, BODY)):
        with pytest.raises(RefusedError):
            verify(secret, given, body, NOW)
