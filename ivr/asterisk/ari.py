"""Asterisk's REST interface, as far as we use it, and the stream of its events.

Source: Asterisk documentation, "Asterisk REST Interface". Numbers travel in it, so nothing here logs addresses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from ivr.asterisk.config import APPLICATION, CONTEXT, AsteriskConfig


class AriError(Exception):
    """Asterisk refused, or could not be asked; `status` 0 for the latter. Says nothing personal."""

    def __init__(self, what: str, status: int = 0) -> None:
        super().__init__(f"{what}: {f'status {status}' if status else 'no answer'}")
        self.status = status


class Ari:
    def __init__(self, config: AsteriskConfig) -> None:
        self._config = config
        auth = (config.ari_user, config.ari_password)
        self._client = httpx.AsyncClient(base_url=f"{config.ari_url}/ari", auth=auth, timeout=config.timeout_s)

    async def close(self) -> None:
        await self._client.aclose()

    async def originate(
        self, channel: str, endpoint: str, caller: str, variables: Mapping[str, str], ring_s: float
    ) -> None:
        """Rings; whoever picks up is led into our dialplan. The same `channel` twice is refused (409). AriError."""
        query = {
            "endpoint": endpoint,
            "context": CONTEXT,
            "extension": "s",
            "priority": "1",
            "callerId": caller,
            "timeout": str(round(ring_s)),
            "channelId": channel,
        }
        await self._ask("POST", "/channels", query, {"variables": dict(variables)})

    async def hang_up(self, channel: str) -> None:
        """One that is gone is fine. AriError."""
        await self._ask("DELETE", f"/channels/{quote(channel, safe='')}", gone_is_fine=True)

    async def channels(self) -> list[str]:
        """Ids of all that exist. AriError."""
        return [str(each["id"]) for each in (await self._ask("GET", "/channels")).json()]

    async def exists(self, channel: str) -> bool:
        answer = await self._ask("GET", f"/channels/{quote(channel, safe='')}", gone_is_fine=True)
        return answer.status_code != 404

    async def endpoints(self) -> dict[str, str]:
        """State by name: "online", "offline", "unknown". AriError."""
        found = (await self._ask("GET", "/endpoints")).json()
        return {str(each["resource"]): str(each.get("state", "unknown")) for each in found}

    async def events(self) -> AsyncIterator[Mapping[str, Any]]:
        """Until the connection ends; AriError when it can't be made. Begins with {"type": "Connected"}."""
        base = self._config.ari_url.replace("http", "ws", 1)
        address = f"{base}/ari/events?app={APPLICATION}&subscribeAll=true"
        token = httpx.BasicAuth(self._config.ari_user, self._config.ari_password)._auth_header
        try:
            async with connect(
                address,
                additional_headers={"Authorization": token},
                open_timeout=self._config.timeout_s,
                max_size=2**20,
                proxy=None,
            ) as socket:
                yield {"type": "Connected"}
                async for raw in socket:
                    event = orjson.loads(raw)
                    if isinstance(event, dict):
                        yield event
        except (TimeoutError, OSError, WebSocketException, orjson.JSONDecodeError) as error:
            raise AriError(f"the events of Asterisk ({type(error).__name__})") from None

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        gone_is_fine: bool = False,
    ) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, params=query, json=body)
        except httpx.HTTPError as error:
            raise AriError(f"Asterisk ({type(error).__name__})") from None
        if not answer.is_success and not (gone_is_fine and answer.status_code == 404):
            raise AriError("Asterisk", answer.status_code)
        return answer
