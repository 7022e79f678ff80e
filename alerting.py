"""Ways out for alarms, as the settings name them: mail, webhook, a second trunk, who looks after the machine; and what
the care room can't see of the machine itself."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from checkins.alarm_calls import Caller
from checkins.alarm_signs import House
from checkins.ports import Messenger
from ivr.silence import silent_calls
from ivr.twilio.config import PREFIX, TwilioConfig
from messages.heartbeat import Heartbeat
from messages.mail import Mail, MailServer
from messages.webhook import Webhook
from settings import Settings

LOOK_BACK = timedelta(hours=1)


def messengers(settings: Settings) -> list[Messenger]:
    """None when nothing is set: then alarms are told by telephone, console and log."""
    ways: list[Messenger] = []
    if settings.alarm_mail_to:
        password = settings.alarm_smtp_password.get_secret_value()
        host, port, security = settings.alarm_smtp_host, settings.alarm_smtp_port, settings.alarm_smtp_security
        server = MailServer(host, port, security, settings.alarm_smtp_user, password)
        to = tuple(address.strip() for address in settings.alarm_mail_to.split(","))
        ways.append(Mail(server, settings.alarm_mail_from, to))
    if url := settings.alarm_webhook_url.get_secret_value():
        ways.append(Webhook(url, settings.alarm_webhook_secret.get_secret_value()))
    return ways


def caller(settings: Settings, owner: str) -> Caller:
    name, number = settings.alarm_phone_name, settings.alarm_phone_number
    return Caller(owner, bool(settings.alarm_twilio_account_sid), (name, number) if number else None, settings.lines)


def second_trunk(settings: Settings, first: TwilioConfig) -> TwilioConfig | None:
    """An account of its own for alarm calls. They are answered by keys, so it needs no media stream."""
    if not settings.alarm_twilio_account_sid:
        return None
    return replace(
        first,
        account_sid=settings.alarm_twilio_account_sid,
        tokens=(settings.alarm_twilio_auth_token.get_secret_value(),),
        from_number=settings.alarm_twilio_from,
        api_base=settings.alarm_twilio_api_base,
        media="verbs",
        prefix=f"{PREFIX}/alarm",
    )


def beat(settings: Settings) -> Callable[[], Awaitable[None]]:
    url = settings.heartbeat_url.get_secret_value()
    return Heartbeat(url).beat if url else _no_beat


async def _no_beat() -> None:
    """No address off this machine was named."""


def machine(data_dir: Path) -> Callable[[Session, datetime], House]:
    """Asks for disk and webhooks, in one look."""

    def look(session: Session, now: datetime) -> House:
        return House(_free(data_dir), silent_calls(session, now - LOOK_BACK))

    return look


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
