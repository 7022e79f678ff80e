"""What must be known of an Asterisk: where its ARI is, by which trunks it rings out, and how it proves who it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import phonenumbers

CONTEXT = "wenan-out"  # of the dialplan: what a telephone hears that we rang (deploy/asterisk/extensions.conf)
APPLICATION = "wenan"
_TRUNK = re.compile(r"(?P<dial>[^:=]+\{number\}[^:=]*)(:(?P<lines>[0-9]{1,4}))?(=(?P<form>e164|national|local))?")


@dataclass(frozen=True)
class Trunk:
    """One way out. `dial`: with {number} in the number's place; `lines`: at most so many calls at once; `form`: how it
    wants numbers: "e164" +862162345678, "national" 02162345678, "local" 62345678 where the area is the line's own."""

    dial: str
    lines: int
    form: str = "national"

    @property
    def endpoint(self) -> str:
        """Its name at Asterisk, as in PJSIP/{number}@NAME."""
        return self.dial.rpartition("@")[2] if "@" in self.dial else ""

    def to(self, number: str, own: str) -> str:
        """What is dialled for an E.164 number; `own`: the line's. ValueError for what is no number."""
        return self.dial.replace("{number}", dialled(number, own, self.form))


@dataclass(frozen=True)
class AsteriskConfig:
    """`trunks`: in the order in which they are taken."""

    ari_url: str
    ari_user: str
    ari_password: str = field(repr=False)
    media_password: str = field(repr=False)
    number: str
    trunks: tuple[Trunk, ...]
    timeout_s: float = 5.0


def read_trunks(text: str, lines: int) -> tuple[Trunk, ...]:
    """ "PJSIP/{number}@sip:30=national, PJSIP/{number}@fxo:2=local". ValueError names the part that can't be read."""
    found = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        match = _TRUNK.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no trunk: write e.g. PJSIP/{{number}}@trunk:8=national")
        found.append(Trunk(match["dial"], int(match["lines"] or lines), match["form"] or "national"))
    if not found:
        raise ValueError("no trunk is named: write e.g. PJSIP/{number}@trunk:8=national")
    return tuple(found)


def dialled(number: str, own: str, form: str) -> str:
    """An E.164 number as a trunk wants it."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise ValueError("no telephone number") from None
    if form == "e164":
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if parsed.country_code != phonenumbers.parse(own).country_code:
        return "00" + phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]
    national = _digits(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))
    area = _area(own)
    return national.removeprefix(area) if form == "local" and area and national != area else national


def e164(caller: str, own: str) -> str:
    """A caller's number as the trunk gives it, with or without area and country; what is none (withheld) as it is."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(own))
    area = _area(own)
    for text in (caller, area + caller):
        try:
            parsed = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return caller


def _area(own: str) -> str:
    """With its 0, as it is dialled; "" where the number has none."""
    parsed = phonenumbers.parse(own)
    length = phonenumbers.length_of_geographical_area_code(parsed)
    return "0" + phonenumbers.national_significant_number(parsed)[:length] if length else ""


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())
