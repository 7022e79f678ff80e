"""Whether a request comes from the carrier: vectors, and what must not pass."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from ivr.twilio.signature import Form, Signatures
from ivr.virtual.signature import sign

# Twilio's own example ("Webhooks security").
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FIELDS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
VECTOR = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
OURS = Signatures(["12345"])

texts = st.text(max_size=20)


def test_twilios_example() -> None:
    assert OURS.valid(URL, Form(FIELDS), VECTOR)


@pytest.mark.parametrize(
    ("url", "fields", "given_signature"),
    [
        (URL, FIELDS, ""),
        (URL, FIELDS, VECTOR[:-1]),
        (URL, FIELDS, VECTOR.lower()),
        (URL, {**FIELDS, "Digits": "1235"}, VECTOR),
        (URL, {**FIELDS, "More": ""}, VECTOR),
        (URL.replace("bar=2", "bar=3"), FIELDS, VECTOR),
        (URL.replace("https", "http"), FIELDS, VECTOR),
        (URL.replace("foo=1&bar=2", "bar=2&foo=1"), FIELDS, VECTOR),
        (URL, FIELDS, "签名"),
        ("http://[", FIELDS, VECTOR),
        ("https://host:port/x", FIELDS, VECTOR),
    ],
)
def test_what_does_not_pass(url: str, fields: dict[str, str], given_signature: str) -> None:
    assert not OURS.valid(url, Form(fields), given_signature)


def test_two_tokens_while_one_is_changed() -> None:
    both = Signatures(["old", "12345"])
    assert both.valid(URL, Form(FIELDS), VECTOR)
    assert both.valid(URL, Form(FIELDS), sign("old", URL, FIELDS.items()))
    assert not both.valid(URL, Form(FIELDS), sign("older", URL, FIELDS.items()))
    assert not Signatures([]).valid(URL, Form(FIELDS), VECTOR)


def test_with_and_without_port() -> None:
    with_port = sign("12345", URL.replace(".com/", ".com:443/"), FIELDS.items())
    assert OURS.valid(URL, Form(FIELDS), with_port)
    assert OURS.valid("wss://line.example/twilio/media", Form(), sign("12345", "wss://line.example:443/twilio/media"))
    assert OURS.valid("http://[::1]:8000/x", Form(), sign("12345", "http://[::1]:8000/x"))


def test_a_json_body_counts_with_its_checksum_only() -> None:
    body = b'{"CallStatus": "busy"}'
    url = f"https://line.example/twilio/status?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = sign("12345", url)
    assert OURS.valid_json(url, body, signature)
    assert not OURS.valid_json(url, body + b" ", signature)
    plain = "https://line.example/twilio/status"
    assert not OURS.valid_json(plain, body, sign("12345", plain))


@given(fields=st.lists(st.tuples(texts, texts), max_size=6))
def test_it_agrees_with_the_official_validator_and_the_virtual_carrier(fields: list[tuple[str, str]]) -> None:
    form = Form(fields)
    signature = sign("12345", URL, fields)
    assert OURS.valid(URL, form, signature)
    assert RequestValidator("12345").compute_signature(URL, form) == signature


@given(fields=st.lists(st.tuples(texts, texts), max_size=6), given_signature=texts, url=texts)
def test_anything_may_come_in(fields: list[tuple[str, str]], given_signature: str, url: str) -> None:
    assert not OURS.valid(url, Form(fields), given_signature)
    assert not OURS.valid_json(url, given_signature.encode("utf-8", "replace"), given_signature)
