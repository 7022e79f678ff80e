"""The browser phone in a real browser, with a recorded voice as its microphone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
from argon2 import PasswordHasher
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from checkins.results import Result, Status
from checkins.tables import CallIntent, Checkin
from console import accounts
from console.roles import Role
from demo import clips
from speech.g711 import ulaw_decode
from tests.browser.conftest import VOICE, keep
from tests.browser.town import Town

Samples = NDArray[np.float64]

SAID = "我昨天开始头晕"
FLAG_WITHIN_MS = 2000
# Keeps the moment at which the text first stands there.
SEEN = """([where, text]) => {
    window.seen = null;
    new MutationObserver(() => {
        if (!window.seen && document.querySelector(where).textContent.includes(text)) window.seen = Date.now();
    }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""
# And the moment at which a key is pressed: the test's hand takes its time on a busy machine.
PRESSED = """where => document.querySelector(where).addEventListener(
    "pointerdown", () => { window.pressed = Date.now(); }, {capture: true})"""
PIECE = 3200  # samples, 0.4 s


def test_an_elder_who_is_not_well_says_so_on_the_browser_phone(town: Town, page: Page, context: BrowserContext) -> None:
    elder = town.elder("王秀英")
    town.ear.will_hear(SAID)
    flagged = context.new_page()
    flagged.goto("/flagged")
    expect(flagged.locator("main")).not_to_contain_text("王秀英")
    page.goto("/phone")
    keep(page, "phone-idle")
    flagged.evaluate(SEEN, ["main", "王秀英"])
    page.select_option("[name=who]", elder)
    page.check("[value=today]")
    page.click("#hook")
    expect(page.locator("#stand")).to_contain_text("响铃")
    page.click("#mute")  # or the voice that never stops would answer
    keep(page, "phone-ringing")
    page.click("#hook")
    expect(page.locator("#stand")).to_contain_text("通话中")
    expect(page.locator("#mic")).to_contain_text("话筒开着")
    turns = page.locator("#turns")
    page.click("[data-key='1']")  # it is she
    expect(turns).to_contain_text("按键 1")
    page.keyboard.press("2")  # she isn't well
    expect(turns).to_contain_text("按键 2")
    expect(turns).to_contain_text("您哪里不舒服?")  # said to its end
    page.click("#mute")
    speaks_a_sentence(page)
    page.evaluate(PRESSED, "[data-key='#']")
    page.click("[data-key='#']")
    expect(flagged.locator("main")).to_contain_text("王秀英")  # nobody has loaded that page again
    assert flagged.evaluate("seen") - page.evaluate("pressed") < FLAG_WITHIN_MS, "after the end of the dictation"
    expect(flagged.locator("main")).to_contain_text("还在通话")
    expect(turns).to_contain_text(f"“{SAID}” 口述")
    keep(page, "phone-talking")
    listening = context.new_page()
    with listening.expect_response(re.compile("/live")):
        listening.goto(flagged.locator("a.name").get_attribute("href") or "")
    keep(listening, "flagged-talking")
    expect(listening.locator("#talks")).to_contain_text("挂了电话再决定")
    expect(turns).to_contain_text("结果：身体不好")
    expect(flagged.locator("main")).not_to_contain_text("还在通话")
    listening.click("text=听全部，再决定")
    expect(listening.locator("#decide")).to_be_visible()
    expect(listening.locator("#talks")).to_be_hidden()
    page.click("#after a")
    expect(page).to_have_url(re.compile("/case/"))
    expect(page.locator("main")).to_contain_text("身体不好")
    row = town.look(lambda session: session.scalars(select(Checkin).where(Checkin.elder_id == elder)).one())
    assert (row.status, row.result) == (Status.NEEDS_PERSON, Result.NOT_WELL)
    assert row.answer["recording_text"] == SAID
    kept = samples(town.house.recordings.read(row.answer["recording"]))
    assert likeness(kept, samples(clips.load()(VOICE))) > 0.85


def samples(ulaw: bytes) -> Samples:
    return np.frombuffer(ulaw_decode(ulaw), "<i2").astype(np.float64)


def likeness(recording: Samples, voice: Samples) -> float:
    """Of the piece of the recording that is most like one of the voice; 1 is the same. A busy machine loses audio
    between pieces, so a piece is short: longer than any sound of a voice is the same."""
    size = len(voice) + PIECE
    spectrum, power = np.fft.rfft(voice, size), np.concatenate([[0.0], np.cumsum(voice**2)])
    norms = np.sqrt(power[PIECE:] - power[:-PIECE]) + 1e-9
    best = 0.0
    for at in range(0, len(recording) - PIECE, PIECE // 2):
        piece = recording[at : at + PIECE]
        found = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)[: len(norms)]
        alike = np.abs(found) / (norms * (np.linalg.norm(piece) + 1e-9))
        best = max(best, float(alike[norms > 0.2 * norms.max()].max()))
    return best


def speaks_a_sentence(page: Page) -> None:
    """Waits until the voice, wherever it was, has been quiet twice: between lies all that it says."""
    page.evaluate("""() => new Promise((spoken) => {
        let quiet = 0, pauses = 0;
        const looking = setInterval(() => {
            quiet = document.getElementById("level").value < 0.01 ? quiet + 1 : 0;
            if (quiet === 10 && ++pauses === 2) { clearInterval(looking); spoken(); }
        }, 50);
    })""")


def test_a_trial_by_keys_changes_no_case(town: Town, page: Page) -> None:
    elder = town.elder("李福根", "+862162345678")
    page.goto(f"/phone?who={elder}")
    page.check("[value=trial]")
    page.uncheck("#use-mic")
    page.click("#hook")
    expect(page.locator("#stand")).to_contain_text("响铃")
    page.keyboard.press("1")  # before it is picked up a key does nothing
    page.click("#hook")
    expect(page.locator("#mic")).to_contain_text("只按键")
    turns = page.locator("#turns")
    for key in "11":
        page.click(f"[data-key='{key}']")
    expect(turns).to_contain_text("按键 1")
    page.click("#hook")
    expect(turns).to_contain_text("试打，不算数")
    expect(page.locator("#stand")).to_contain_text("挂着")
    count = town.look(
        lambda session: len(session.scalars(select(CallIntent).where(CallIntent.number == "+862162345678")).all())
    )
    assert count == 0
    assert town.look(lambda session: session.scalars(select(Checkin).where(Checkin.elder_id == elder)).all()) == []


def test_the_first_account_s_owner_logs_in_with_the_printed_password_and_acts_by_their_name(
    town: Town, page: Page
) -> None:
    """Forms as a real browser sends them: with Origin, cookies and the token of their page."""
    page.context.clear_cookies()
    cheap = PasswordHasher(1, 8, 1).hash("k7fm-2xqp")
    with town.house.db.write() as session:
        made = accounts.add(session, "chen", "陈站长", Role.SUPERVISOR, cheap, "站长", datetime.now(UTC))
        assert made.one_time_until, "to be changed"
    page.goto("/roster?place=1")
    page.fill("[name=login]", "chen")
    page.fill("[name=password]", "k7fm-2xqp")
    keep(page, "login")
    page.keyboard.press("Enter")
    page.fill("[name=now]", "k7fm-2xqp")
    page.fill("[name=new]", "seven old houses")
    page.fill("[name=again]", "seven old houses")
    keep(page, "password")
    page.keyboard.press("Enter")
    expect(page.locator("header")).to_contain_text("陈站长")
    page.click("text=退出")
    expect(page).to_have_url(re.compile("/login$"))
