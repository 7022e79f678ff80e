"""Mail, webhook and heartbeat against real servers on this machine."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checkins import standard_webhooks
from checkins.ports import AlarmMessage, NotToldError
from messages.heartbeat import Heartbeat
from messages.mail import Mail, MailServer
from messages.webhook import Webhook
from tests.fakes.post import mail_server, web_site

T = datetime(2026, 3, 2, 0, 25, tzinfo=UTC)
DOWN = AlarmMessage("alarm-1-raised-2", "raised", "line_down", "电话线路中断", "电话线路断了。", 2, T, None, T)
UP = AlarmMessage(
    "alarm-1-over-2", "over", "line_down", "电话线路中断", "电话线路断了。", 2, T, T + timedelta(minutes=40), T
)
SECRET = "whsec_" + "QUJD" * 10


async def test_a_mail_says_what_since_when_and_what_to_do() -> None:
    async with mail_server() as box:
        mail = Mail(MailServer("127.0.0.1", box.port, "none"), "line@example.org", ("a@example.org", "b@example.org"))
        await mail.tell(DOWN)
        await mail.tell(UP)
    down, up = box.mails
    assert down["Subject"] == "[问安] 电话线路中断"
    assert down["To"] == "a@example.org, b@example.org"
    text = down.get_content()
    assert "电话线路断了。" in text
    assert "2026-03-02 08:25起。这是第2次通知。" in text
    assert up["Subject"] == "[问安] 已恢复：电话线路中断"
    assert "2026-03-02 08:25开始，2026-03-02 09:05恢复" in up.get_content()
    assert down["Message-ID"] != up["Message-ID"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
async def test_a_password_goes_over_tls_to_a_server_that_can_prove_its_name(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True, timeout=30)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate, key)
    async with mail_server(theirs) as box:
        trusted = ssl.create_default_context(cafile=str(certificate))
        server = MailServer("localhost", box.port, "starttls", "wenan", "very-secret")
        with pytest.raises(NotToldError) as stranger:
            await Mail(server, "line@example.org", ("a@example.org",)).tell(DOWN)
        await Mail(server, "line@example.org", ("a@example.org",), trusted).tell(DOWN)
    assert str(stranger.value) == "SSLCertVerificationError"
    assert box.logins == [("wenan", "very-secret")]
    assert box.encrypted == [True]


async def test_a_mail_that_is_not_taken_says_so_without_the_servers_words() -> None:
    async with mail_server() as box:
        box.answer = "451 mailbox of wang@example.org is full"
        mail = Mail(MailServer("127.0.0.1", box.port, "none"), "line@example.org", ("a@example.org",))
        with pytest.raises(NotToldError, match=r"^SMTPDataError 451$"):
            await mail.tell(DOWN)
    with pytest.raises(NotToldError, match=r"^ConnectionRefusedError$"):
        await mail.tell(DOWN)


def test_no_password_without_encryption() -> None:
    with pytest.raises(ValueError, match="encryption"):
        MailServer("127.0.0.1", 25, "none", "wenan", "very-secret")
    assert "very-secret" not in repr(MailServer("127.0.0.1", 25, "ssl", "wenan", "very-secret"))


async def test_a_webhook_is_signed_and_bears_the_same_id_when_it_is_sent_again() -> None:
    with web_site() as site:
        site.answers = [503]
        hook = Webhook(f"{site.url}/hook", SECRET)
        with pytest.raises(NotToldError, match=r"^status 503$"):
            await hook.tell(DOWN)
        await hook.tell(DOWN)
    (_, _, first, _), (method, path, headers, body) = site.requests
    assert (method, path) == ("POST", "/hook")
    assert standard_webhooks.verify(SECRET, headers, body, T).message_id == first["webhook-id"]
    told = json.loads(body)
    assert told["type"] == "alarm.raised"
    assert told["data"]["kind"] == "line_down"
    assert told["data"]["over_at"] is None


async def test_a_webhook_nobody_answers_says_so_without_its_address() -> None:
    with pytest.raises(NotToldError, match=r"^ConnectError$"):
        await Webhook("http://127.0.0.1:1/secret-part", SECRET).tell(DOWN)
    with pytest.raises(NotToldError, match=r"^(UnsupportedProtocol|InvalidURL|LocalProtocolError)$"):
        await Webhook("127.0.0.1/secret-part", SECRET).tell(DOWN)


async def test_a_heartbeat_that_fails_is_told_once_and_never_names_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with web_site() as site:
        heart = Heartbeat(f"{site.url}/ping/secret-part")
        site.answers = [500, 500, 200, 404]
        for _ in range(4):
            await heart.beat()
    await heart.beat()
    assert [(method, path) for method, path, _, _ in site.requests] == [("GET", "/ping/secret-part")] * 4
    warnings = [record.getMessage() for record in caplog.records if record.name == "messages.heartbeat"]
    assert [line.rpartition(": ")[2] for line in warnings] == ["status 500", "status 404"]
    assert "secret-part" not in " ".join(warnings)
