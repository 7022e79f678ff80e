"""A mail server and a web server that write down what they get: real ones, on this machine."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Mailbox:
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    answer: str = "250 OK"  # to a mail

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
            self.encrypted.append(session.ssl is not None)
        return self.answer

    def login(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))  # type: ignore[attr-defined]
        return AuthResult(success=True)


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[Mailbox]:
    """With `tls` it takes mail after STARTTLS and a login only."""
    box = Mailbox()
    guarded = {"tls_context": tls, "require_starttls": True, "auth_required": True, "authenticator": box.login}
    loop = asyncio.get_running_loop()
    make = lambda: SMTP(box, hostname="localhost", loop=loop, **(guarded if tls else {}))  # noqa: E731
    server = await loop.create_server(make, "127.0.0.1", 0)
    async with server:
        box.port = server.sockets[0].getsockname()[1]
        yield box


@dataclass
class Site:
    """`answers`: statuses of the next answers, then 204."""

    url: str = ""
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@contextmanager
def web_site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            site.requests.append((self.command, self.path, headers, body))
            self.send_response(site.answers.pop(0) if site.answers else 204)
            self.end_headers()

        do_GET = do_POST = _take  # noqa: N815 (the library's names)

        def log_message(self, *_said: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
