"""A sign of life to an address off this machine, where its absence alarms (as healthchecks.io and its like do)."""

from __future__ import annotations

import logging

import httpx

from messages.tls import trusted

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0


class Heartbeat:
    """`url` is a secret (whoever has it can feign life): it is in no log."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._failing = False

    async def beat(self) -> None:
        """One GET. A failure is logged when it begins, never raised: the absence of the sign is the alarm."""
        try:
            async with httpx.AsyncClient(verify=trusted(), timeout=TIMEOUT_S, follow_redirects=True) as client:
                answer = await client.get(self._url)
            why = "" if answer.is_success else f"status {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = type(error).__name__
        if why and not self._failing:
            log.warning("the heartbeat address off this machine can't be reached: %s", why)
        self._failing = bool(why)
