"""How a trunk wants numbers, in which order trunks are taken, and what a cause says of a call."""

from __future__ import annotations

import pytest

from ivr.asterisk.causes import BUSY, NO_ANSWER, TRUNK_FAILED, outcome
from ivr.asterisk.config import Trunk, dialled, e164, read_trunks

OWN = "+862155550000"


@pytest.mark.parametrize(
    ("number", "form", "expected"),
    [
        ("+862162345678", "e164", "+862162345678"),
        ("+862162345678", "national", "02162345678"),
        ("+862162345678", "local", "62345678"),
        ("+861062345678", "local", "01062345678"),
        ("+8613812345678", "national", "13812345678"),
        ("+8613812345678", "local", "13812345678"),
        ("+85223456789", "national", "0085223456789"),
    ],
)
def test_a_number_is_dialled_as_the_trunk_wants_it(number: str, form: str, expected: str) -> None:
    assert dialled(number, OWN, form) == expected


def test_what_is_no_number_is_not_dialled() -> None:
    with pytest.raises(ValueError, match="no telephone number"):
        dialled("12", OWN, "national")


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("02162345678", "+862162345678"),
        ("62345678", "+862162345678"),
        ("+862162345678", "+862162345678"),
        ("13812345678", "+8613812345678"),
        ("anonymous", "anonymous"),
        ("", ""),
    ],
)
def test_a_caller_is_known_however_the_trunk_writes_the_number(caller: str, expected: str) -> None:
    assert e164(caller, OWN) == expected


def test_trunks_are_read_in_their_order() -> None:
    trunks = read_trunks("PJSIP/{number}@sip:30=national, PJSIP/{number}@fxo=local", 8)
    assert trunks == (Trunk("PJSIP/{number}@sip", 30), Trunk("PJSIP/{number}@fxo", 8, "local"))
    assert [trunk.endpoint for trunk in trunks] == ["sip", "fxo"]
    assert trunks[1].to("+862162345678", OWN) == "PJSIP/62345678@fxo"


@pytest.mark.parametrize("text", ["", " , ", "PJSIP/trunk", "PJSIP/{number}@a:x", "PJSIP/{number}@a=abroad"])
def test_trunks_that_can_not_be_read_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="trunk"):
        read_trunks(text, 8)


def test_a_cause_says_of_the_elder_only_what_it_knows() -> None:
    assert outcome(17, rang=False) == BUSY
    assert outcome(19, rang=True) == NO_ANSWER
    assert outcome(1, rang=False).sip_code == "404"
    assert outcome(34, rang=False) == TRUNK_FAILED
    assert outcome(127, rang=False).trunk, "unknown, before it rang: the line's"
    assert outcome(127, rang=True) == NO_ANSWER
    assert not outcome(38, rang=True).trunk, "it has rung: no second trunk rings it again"
