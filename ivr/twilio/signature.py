"""Whether a request comes from the carrier. Fail-closed: whatever can't be checked is refused.

The signature is the official SDK's: base64(HMAC-SHA1(token, URL + each sorted key followed by its sorted, distinct
values)); a JSON body is covered by its SHA-256 in the query (`bodySHA256`). Our own: the comparison in constant time,
two tokens, bodies as bytes, and no exception for anything that may come in. Source: Twilio, "Webhooks security".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator, add_port, remove_port

Form = ImmutableMultiDict[str, str]
HEADER = "x-twilio-signature"
NOTHING = Form()


class Signatures:
    """`tokens`: all that are valid now."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._validators = [RequestValidator(token) for token in tokens]

    def valid(self, url: str, form: Form, given: str) -> bool:
        """`url` as the carrier has it: the public one, with the query as it came. `form`: the body's fields."""
        try:
            wanted = [self._of(validator, each, form) for validator in self._validators for each in _variants(url)]
        except (ValueError, UnicodeError):
            return False
        sent = given.encode("utf-8", "replace")
        return any([hmac.compare_digest(each.encode(), sent) for each in wanted])

    def valid_json(self, url: str, body: bytes, given: str) -> bool:
        """A JSON body counts only with its checksum in the (signed) query."""
        promised = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
        right = hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), promised.lower().encode())
        return self.valid(url, NOTHING, given) and right

    @staticmethod
    def _of(validator: RequestValidator, url: str, form: Form) -> str:
        return str(validator.compute_signature(url, form))


def _variants(url: str) -> set[str]:
    """Carriers sign with or without the port; the SDK accepts both."""
    parts = urlsplit(url)
    if "[" in parts.netloc:  # IPv6: the SDK's helpers can't
        return {url}
    return {url, remove_port(parts), _with_port(url)}


def _with_port(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme in ("wss", "ws") and not parts.port:
        return parts._replace(netloc=f"{parts.netloc}:{443 if parts.scheme == 'wss' else 80}").geturl()
    return str(add_port(parts))
