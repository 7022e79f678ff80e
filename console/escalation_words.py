"""Whom a step rings, as the form of a ladder names them."""

from __future__ import annotations

from checkins.escalation.policy import Who

WHO_FIELDS = {
    Who.BUDDY.value: ("老伙伴", "buddy"),
    Who.DUTY.value: ("值班", "duty"),
    Who.DEPUTY.value: ("副班", "deputy"),
    Who.FAMILY.value: ("家属", "family"),
    Who.STREET.value: ("街道", "street"),
}
