"""The carrier's HTTP side toward the application: signed requests, time limits, retries, fallback parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext
from typing import Literal
from urllib.parse import parse_qs, urldefrag, urlencode

import httpx

from .signature import sign

Params = Sequence[tuple[str, str]]
Signer = Callable[[str, Params], str]


class WebhookError(Exception):
    """The application did not answer usably. `code` is Twilio's: 11200 HTTP failure, 11205 no connection."""

    def __init__(self, code: int, url: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.url = url


@dataclass(frozen=True)
class Overrides:
    """Connection overrides in a webhook URL's fragment. Source: Twilio, "Webhook connection overrides"."""

    connect_s: float = 5.0
    read_s: float = 15.0
    retries: int = 1
    policies: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, fragment: str) -> Overrides:
        given = {key: values[-1] for key, values in parse_qs(fragment).items()}
        return cls(
            connect_s=float(given.get("ct", 5000)) / 1000,
            read_s=float(given.get("rt", 15000)) / 1000,
            retries=min(5, int(given.get("rc", 1))),
            policies=frozenset(given.get("rp", "ct").split(",")),
        )

    def again(self, trouble: str) -> bool:
        return trouble in self.policies or "all" in self.policies


@cache
def _trusted() -> SSLContext:
    """Read once: a list of authorities takes longer to read than a call's webhooks together."""
    return httpx.create_ssl_context(trust_env=False)


class Webhooks:
    """Signs and sends. `reroute` maps the beginning of a public URL to where it really listens; the signature is
    always over the URL as the application gave it."""

    def __init__(self, token: str, *, reroute: Mapping[str, str] | None = None) -> None:
        self.token = token
        self.signer: Signer = lambda url, params: sign(self.token, url, params)
        self._reroute = dict(reroute or {})
        # A web server ends an idle connection after 5 s (uvicorn); who uses it again just then reads nothing.
        limits = httpx.Limits(keepalive_expiry=2.0)
        self._client = httpx.AsyncClient(verify=_trusted(), trust_env=False, follow_redirects=False, limits=limits)

    async def close(self) -> None:
        await self._client.aclose()

    def route(self, url: str) -> str:
        """Where `url` really listens."""
        for public, real in self._reroute.items():
            if url.startswith(public):
                return real + url[len(public) :]
        return url

    async def send(
        self, url: str, params: Params, method: str = "POST", header: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """One webhook with its retries. A 2xx answer, or WebhookError."""
        plain, fragment = urldefrag(url)
        overrides = Overrides.of(fragment)
        for attempt in range(overrides.retries + 1):
            outcome = await self._once(plain, params, method, overrides, header or {})
            if isinstance(outcome, httpx.Response):
                return outcome
            trouble, reason = outcome
            if attempt == overrides.retries or not overrides.again(trouble):
                raise WebhookError(11205 if trouble == "ct" else 11200, plain, reason)
        raise AssertionError("unreachable")

    async def _once(
        self, url: str, params: Params, method: str, overrides: Overrides, header: Mapping[str, str]
    ) -> httpx.Response | tuple[Literal["ct", "rt", "4xx", "5xx"], str]:
        get = method.upper() == "GET"
        if get and params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        sent = {
            "X-Twilio-Signature": self.signer(url, [] if get else params),
            "User-Agent": "TwilioProxy/1.1",
            **({} if get else {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}),
            **header,
        }
        limits = httpx.Timeout(overrides.read_s, connect=overrides.connect_s)
        body = None if get else urlencode(params).encode()
        try:
            response = await self._client.request(method, self.route(url), content=body, headers=sent, timeout=limits)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return "ct", type(error).__name__
        except httpx.TransportError as error:
            return "rt", type(error).__name__
        if response.is_success:
            return response
        return "4xx" if response.status_code < 500 else "5xx", f"status {response.status_code}"
