"""What a request must be like, whoever sends it: made to this machine by name, forms only from our own pages.

A browser is not trusted with the accounts of its user: a page from elsewhere may point at 127.0.0.1 (DNS rebinding,
hidden forms), so Host, Origin and a token are checked. Who is let in: console/door.py.
"""

from __future__ import annotations

import hmac
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
NO_ADDRESS = SplitResult("", "", "", "", "")
HEADERS = {
    "Content-Security-Policy": CSP,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # "no-referrer" makes browsers hide where our own forms come from
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class PageError(Exception):
    """Shown to the worker as a page: `status` and a sentence in Chinese, English beside it."""

    def __init__(self, status: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.status, self.zh, self.en = status, zh, en


def check_place(headers: Headers) -> None:
    """PageError 403 unless the request was made to this machine by name and came straight here."""
    if host_name(headers.get("host", "")) not in LOCAL_NAMES:
        raise PageError(403, "本页只在本机打开，请用 127.0.0.1 访问。", "open this page on this machine, by 127.0.0.1")
    if any(name in headers for name in PROXY_HEADERS):
        raise PageError(403, "本页不经代理访问。", "this page is not served through a proxy")


def check_origin(headers: Headers, *, must: bool = False) -> None:
    """PageError 403 unless a page of ours sent it. `must`: browsers always say where it comes from (sockets)."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    foreign = site not in (None, "same-origin") or (
        origin is not None and split(origin).netloc.lower() != headers.get("host", "").lower()
    )
    if foreign or (must and origin is None):
        raise PageError(403, "这个表单不是从本页发出的，没有保存。", "this form came from elsewhere; nothing was saved")


def check_token(token: str, given: str) -> None:
    """PageError 403 unless a form brings what its page was given."""
    if not token or not hmac.compare_digest(token.encode(), given.encode("utf-8", "replace")):
        raise PageError(403, "页面已过期，没有保存。请刷新后再填一次。", "this page has expired; reload it, try again")


def host_name(host: str) -> str:
    """ "[::1]:8000" → "::1"; "" for what is no host."""
    return (split(f"//{host}").hostname or "").rstrip(".")


def split(address: str) -> SplitResult:
    """Of an address that anybody may have written; all parts are "" for what is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return NO_ADDRESS
