"""The carrier's own request signature. Written apart from the product's check, so that each tests the other."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def sign(token: str, url: str, params: Iterable[tuple[str, str]] = ()) -> str:
    """X-Twilio-Signature: base64(HMAC-SHA1(token, URL + each sorted key followed by its sorted, distinct values)).

    `url` is the address as the application gave it, query included, fragment excluded. A WebSocket handshake has
    no `params`. Source: Twilio, "Webhooks security".
    """
    values: dict[str, set[str]] = {}
    for key, value in params:
        values.setdefault(key, set()).add(value)
    text = url + "".join(key + value for key in sorted(values) for value in sorted(values[key]))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
