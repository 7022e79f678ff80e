"""What must be known of a Twilio-compatible carrier, and the addresses under which it reaches us."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlencode

PREFIX = "/twilio"
# Twilio repeats a webhook when we can't be reached, answer late or answer 5xx (our handlers stand repetition).
# Source: Twilio, "Webhook connection overrides".
_OVERRIDES = "#ct=2000&rt=5000&rc=2&rp=ct,rt,5xx"


@dataclass(frozen=True)
class TwilioConfig:
    """`tokens`: valid auth tokens, the current one first (two while one is being changed). `public_url`: without path;
    signatures are checked against it, never against the Host header. Seconds are real time."""

    account_sid: str
    tokens: tuple[str, ...] = field(repr=False)
    from_number: str
    public_url: str
    api_base: str = "https://api.twilio.com"
    media: Literal["stream", "verbs"] = "stream"
    rest_timeout_s: float = 10.0
    prefix: str = PREFIX  # of its webhooks' addresses; another account's have their own

    def __post_init__(self) -> None:
        if not self.tokens or not all(self.tokens):
            raise ValueError("a carrier without an auth token: nothing it sends could be believed")

    def url(self, path: str, **query: str | int) -> str:
        """An address below our prefix."""
        return f"{self.public_url}{self.prefix}/{path}" + (f"?{urlencode(query)}" if query else "")

    def webhook(self, path: str, **query: str | int) -> str:
        """The same, with how the carrier should repeat it."""
        return self.url(path, **query) + _OVERRIDES

    @property
    def media_url(self) -> str:
        """The media stream's address: wss for https (ws only where everything is on this machine)."""
        scheme, _, rest = self.public_url.partition("://")
        return f"{'wss' if scheme == 'https' else 'ws'}://{rest}{self.prefix}/media"

    def audio(self, *parts: str) -> str:
        return self.url("audio/" + "/".join(quote(part, safe="") for part in parts))
