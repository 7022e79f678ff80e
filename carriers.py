"""Where calls go out and come in: the account at the carrier, a second one for alarms, telephones of the browser."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import alerting
from checkins.alarm_calls import SECOND
from ivr.asterisk.config import AsteriskConfig, read_trunks
from ivr.asterisk.switch import Switch
from ivr.twilio.config import PREFIX, TwilioConfig
from ivr.twilio.rest import TwilioRest
from ivr.virtual.carrier import VirtualCarrier
from ivr.virtual.handset import Exchange
from ivr.virtual.phone import Phone, PhoneKind
from settings import Settings, SettingsError

VIRTUAL_SID = "AC" + "0" * 32
VIRTUAL_NUMBER = "+862110000000"  # rings nowhere
BROWSER = "browser"  # the trunk of browser phones beside a real carrier


@dataclass
class Phones:
    """Telephones behind virtual numbers. `own`: their carrier has all calls; else it has browser phones' alone."""

    exchange: Exchange
    own: bool
    carrier: VirtualCarrier | None = None

    @property
    def virtual(self) -> VirtualCarrier | None:
        return self.carrier if self.own else None


@dataclass(frozen=True)
class Accounts:
    """`second`: by which alarms go out when the first is down. `browser`: of browser phones beside a real carrier."""

    main: TwilioConfig
    second: TwilioConfig | None
    browser: TwilioConfig | None

    def trunks(self) -> dict[str, TwilioRest]:
        """All but the main one, by name."""
        others = ((SECOND, self.second), (BROWSER, self.browser))
        return {name: TwilioRest(account) for name, account in others if account}


def accounts(
    settings: Settings, base_url: str, phones: Phones, given: Callable[[str], TwilioConfig] | None = None
) -> Accounts:
    """`given`: the main one, when a test says which."""
    main = given(base_url) if given else _account(settings, base_url, phones.virtual)
    aside = None if phones.own or not phones.carrier else _aside(settings, base_url, phones.carrier)
    return Accounts(main, alerting.second_trunk(settings, main), aside)


def _account(settings: Settings, base_url: str, virtual: VirtualCarrier | None) -> TwilioConfig:
    if virtual is not None:
        return TwilioConfig(
            virtual.account_sid,
            (virtual.auth_token,),
            VIRTUAL_NUMBER,
            base_url,
            api_base=virtual.base_url,
            media=settings.media,
        )
    return TwilioConfig(
        settings.twilio_account_sid,
        settings.auth_tokens,
        settings.twilio_from,
        settings.public_url,
        api_base=settings.twilio_api_base,
        media=settings.media,
    )


def _aside(settings: Settings, base_url: str, carrier: VirtualCarrier) -> TwilioConfig:
    """The account of browser phones beside a real carrier; its webhooks have a place of their own."""
    return replace(_account(settings, base_url, carrier), prefix=f"{PREFIX}/{BROWSER}")


def asterisk(settings: Settings) -> Switch | None:
    """None where another carries the calls. SettingsError for trunks that can't be read."""
    if settings.carrier != "asterisk":
        return None
    try:
        trunks = read_trunks(settings.asterisk_trunks, settings.lines)
    except ValueError as error:
        raise SettingsError(f"WENAN_ASTERISK_TRUNKS: {error}") from None
    return Switch(
        AsteriskConfig(
            settings.asterisk_url,
            settings.asterisk_user,
            settings.asterisk_password.get_secret_value(),
            settings.asterisk_media_password.get_secret_value(),
            settings.asterisk_from,
            trunks,
        )
    )


@asynccontextmanager
async def behind(
    switch: Switch, settings: Settings, now: Callable[[], datetime]
) -> AsyncIterator[Callable[[str], TwilioConfig]]:
    """Our own carrier on loopback, with Asterisk as its telephones; the account that it gives us."""
    token = secrets.token_hex(16)
    async with VirtualCarrier(VIRTUAL_SID, token, switch, now=now) as carrier:

        def account(base_url: str) -> TwilioConfig:
            config = TwilioConfig(
                VIRTUAL_SID,
                (token,),
                settings.asterisk_from,
                base_url,
                api_base=carrier.base_url,
                media=settings.media,
            )
            switch.rings_in, switch.voice_url = carrier.ring_in, config.url("voice")
            return config

        yield account


def nobody(_number: str) -> Phone:
    """Behind the virtual carrier's numbers nobody lives, unless the demo or a test says who."""
    return Phone(PhoneKind.NO_ANSWER)
