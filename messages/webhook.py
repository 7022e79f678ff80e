"""Alarms to a program elsewhere: one POST with JSON, signed by the Standard Webhooks scheme."""

from __future__ import annotations

import json

import httpx

from checkins import standard_webhooks
from checkins.ports import AlarmMessage, NotToldError
from messages.tls import trusted

TIMEOUT_S = 10.0


class Webhook:
    """Satisfies checkins.ports.Messenger. `secret`: "whsec_…". Any 2xx is a receipt; redirects are not followed."""

    name = "webhook"

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url, secret

    async def tell(self, message: AlarmMessage) -> None:
        content = payload(message)
        headers = {"content-type": "application/json", **self._signed(message, content)}
        try:
            async with httpx.AsyncClient(verify=trusted(), timeout=TIMEOUT_S) as client:
                answer = await client.post(self._url, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotToldError(type(error).__name__) from None
        if not answer.is_success:
            raise NotToldError(f"status {answer.status_code}")

    def _signed(self, message: AlarmMessage, content: bytes) -> dict[str, str]:
        key = f"{message.key}-{message.raised_at:%Y%m%dT%H%M%S}"[:64]
        return standard_webhooks.signed(self._secret, key, message.at, content)


def payload(message: AlarmMessage) -> bytes:
    """The body. `type` says what happened, `data` of which alarm; it names nobody."""
    data = {
        "kind": message.kind,
        "title": message.title,
        "text": message.text,
        "round": message.round,
        "raised_at": message.raised_at.isoformat(),
        "over_at": message.over_at.isoformat() if message.over_at else None,
    }
    told = {"type": f"alarm.{message.what}", "timestamp": message.at.isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False).encode()
