"""One line and one Chromium for all tests of a file. Where Chromium is missing the tests are skipped,
and say so; `make setup-dev` installs the browser where it may (tools/bootstrap.py)."""

from __future__ import annotations

import os
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from demo import clips
from speech.g711 import ulaw_decode
from speech.resample import resample
from tests.browser.town import Town, open_town
from tests.fakes.accounts import session_cookie

VOICE = "zm_yunxi/tell_dizzy"  # 我昨天开始头晕,饭也吃不下。
MICROPHONE_HZ, TELEPHONE_HZ = 48_000, 8_000
PATIENCE_MS = 30_000  # a busy machine; nothing waits for it to pass
QUIET = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip
SHOTS = os.environ.get("WENAN_SHOTS")  # a folder: pages are kept there as pictures, to be looked at


def chromium() -> str:
    """Where it is; skips the test when it is nowhere."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: pages are not looked at (apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    chromium()
    with open_town(tmp_path_factory.mktemp("town")) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Its microphone is a recorded voice, over and over."""
    program, file = chromium(), _microphone(tmp_path_factory.mktemp("voice") / "voice.wav")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=program, args=[*QUIET, f"--use-file-for-fake-audio-capture={file}"]
        )
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser, town: Town) -> Iterator[BrowserContext]:
    """A browser's window of its own; whatever its pages complain of fails the test."""
    opened = browser.new_context(base_url=town.url, locale="zh-CN", permissions=["microphone"])
    opened.add_cookies([{"name": "wenan_session", "value": session_cookie(town.house.db), "url": town.url}])
    opened.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    complaints: list[str] = []
    opened.on("weberror", lambda error: complaints.append(str(error.error)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield opened
    opened.close()
    assert not complaints, f"the page complains: {complaints}"


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def keep(page: Page, name: str) -> None:
    """Pictures of the page as it is: light, dark, at 200 % and on a telephone."""
    if not SHOTS:
        return
    looks = {"light": (1280, 900), "dark": (1280, 900), "200": (640, 450), "mobile": (360, 740)}
    for look, (width, height) in looks.items():
        page.emulate_media(color_scheme="dark" if look == "dark" else "light")
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=f"{SHOTS}/{name}-{look}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def _microphone(file: Path) -> Path:
    voice = resample(ulaw_decode(clips.load()(VOICE)), TELEPHONE_HZ, MICROPHONE_HZ)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(MICROPHONE_HZ)
        sound.writeframes(voice + bytes(2 * MICROPHONE_HZ))  # and a second of silence
    return file
