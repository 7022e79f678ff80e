"""Alarms by mail: SMTP with TLS, in a thread (the standard library's client blocks)."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal
from zoneinfo import ZoneInfo

from checkins.ports import AlarmMessage, NotToldError
from messages.tls import trusted

TIMEOUT_S = 15.0
Security = Literal["starttls", "ssl", "none"]


@dataclass(frozen=True)
class MailServer:
    """`security` "none" is for a relay on this machine: a password is then refused (ValueError)."""

    host: str
    port: int
    security: Security = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.security == "none" and self.user:
            raise ValueError("a password is not sent without encryption: use starttls or ssl")


class Mail:
    """Satisfies checkins.ports.Messenger. `to`: one or more addresses."""

    name = "mail"

    def __init__(self, server: MailServer, sender: str, to: tuple[str, ...], tls: ssl.SSLContext | None = None) -> None:
        self._server, self._from, self._to = server, sender, to
        self._tls = tls or trusted()

    async def tell(self, message: AlarmMessage) -> None:
        mail = self._mail(message)
        try:
            await asyncio.to_thread(self._send, mail)
        except smtplib.SMTPResponseException as error:  # the server's words may name people or mailboxes
            raise NotToldError(f"{type(error).__name__} {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotToldError(type(error).__name__) from None

    def _send(self, mail: EmailMessage) -> None:
        """Raises when one of the addresses was refused, too: it is tried again for all of them."""
        with self._connected() as client:
            if self._server.security == "starttls":
                client.starttls(context=self._tls)
            if self._server.user:
                client.login(self._server.user, self._server.password)
            refused = client.send_message(mail)
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.security == "ssl":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=self._tls)
        return smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)

    def _mail(self, message: AlarmMessage) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = f"[问安] {'已恢复：' if message.what == 'over' else ''}{message.title}"
        mail["From"], mail["To"] = self._from, ", ".join(self._to)
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = f"<{message.key}-{message.raised_at:%Y%m%d%H%M%S}@wenan.invalid>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(body(message))
        return mail


def body(message: AlarmMessage) -> str:
    """The mail's text; also for people who read nothing but mail."""
    since = _clock(message.raised_at, message)
    if message.over_at is not None:
        return f"{message.title}：{since}开始，{_clock(message.over_at, message)}恢复。\n\n当时的情况：{message.text}\n"
    again = f"这是第{message.round}次通知。" if message.round > 1 else ""
    return (
        f"{message.text}\n\n{since}起。{again}\n"
        "有人知道了就不再通知：在首页写上姓名点“知道了”，或者接到电话按1。\n"
        "（运行手册 docs/operations.md，Alarms 一节）\n"
    )


def _clock(moment: datetime, message: AlarmMessage) -> str:
    return moment.astimezone(ZoneInfo(message.zone)).strftime("%Y-%m-%d %H:%M")
