"""Telephone numbers: whatever people write, to E.164."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers

HOME_CODE = 86
_FIGURES = "零幺二三四五六七八九"  # 幺: a one that nobody takes for a seven


class NumberError(ValueError):
    """Says what is wrong with a number, without repeating it (numbers are personal)."""


def to_e164(text: str, area_code: str = "021", region: str = "CN") -> str:
    """ "62345678", "021-6234 5678", "+862162345678" → "+862162345678". Raises NumberError.

    A number of 7 or 8 digits that starts neither with 0 nor 1 is a local one and gets `area_code`. Only the shape
    is checked (length and country), not whether the range is in use: test numbers that can't ring are welcome.
    Letters (1-800-FLOWERS) are refused, since a slip of the hand would become another number, and so are numbers that
    cost extra (+1 900 …).
    """
    letters = any(character.isalpha() for character in text)
    digits = "".join(character for character in text if character.isdecimal())
    if not digits:
        raise NumberError("there is no digit in it")
    if len(digits) in (7, 8) and digits[0] not in "01" and "+" not in text:
        text = area_code + digits
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise NumberError("is no telephone number") from None
    _check(number)
    if letters:
        raise NumberError("has letters in it: write digits only")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=10_000)  # a list of 4,000 elders has as many, and is asked for again
def national(number: str | None) -> str:
    """An E.164 number as people here read and dial it ("021 6234 5678"); "" for none."""
    if not number:
        return ""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    home = parsed.country_code == HOME_CODE
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(parsed, style))


def spoken(number: str | None) -> str:
    """The same to be heard, figure by figure and in groups: "幺三八,幺二三四,五六七八"; "" for none."""
    groups = "".join(sign if sign.isdecimal() else " " for sign in national(number)).split()
    return ",".join("".join(_FIGURES[int(figure)] for figure in group) for group in groups)


def _check(number: phonenumbers.PhoneNumber) -> None:
    shape = phonenumbers.is_possible_number_with_reason(number)
    if shape == phonenumbers.ValidationResult.TOO_SHORT:
        raise NumberError("has too few digits")
    if shape == phonenumbers.ValidationResult.TOO_LONG:
        raise NumberError("has too many digits")
    if shape == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        raise NumberError("lacks its area code")
    if shape != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NumberError("is no telephone number")
    if number.extension:
        raise NumberError("has an extension; the line can't dial extensions")
    if phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.PREMIUM_RATE:
        raise NumberError("is a premium-rate number; the line doesn't dial those")
