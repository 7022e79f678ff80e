"""A sentence recorded with a real browser's microphone is what the next call says."""

from __future__ import annotations

import numpy as np
import orjson
from playwright.sync_api import Page, WebSocket, expect

from console.sentences import number_of
from speech.resample import resample
from tests.browser.conftest import TELEPHONE_HZ, keep
from tests.browser.test_phone import Samples, samples
from tests.browser.town import Town

TEXT = "今天身体好吗?身体好,请按1;不舒服,请按2;想找人说话,请按3。"
RECORDED_MS = 5000  # the microphone's sentence once, wherever it was


class Earpiece:
    """What the line sends to the browser phone."""

    def __init__(self, page: Page) -> None:
        self._pieces: list[bytes] = []
        self._rate = 0
        page.on("websocket", self._listen)

    def heard(self) -> Samples:
        sound = resample(b"".join(self._pieces), self._rate, TELEPHONE_HZ)
        return np.frombuffer(sound, "<i2").astype(np.float64)

    def _listen(self, socket: WebSocket) -> None:
        if socket.url.endswith("/phone/line"):
            socket.on("framesent", self._sent)
            socket.on("framereceived", self._received)

    def _sent(self, said: str | bytes) -> None:
        if isinstance(said, str) and not self._rate:
            self._rate = orjson.loads(said)["rate"]

    def _received(self, said: str | bytes) -> None:
        if isinstance(said, bytes):
            self._pieces.append(said)


def test_what_is_recorded_and_published_is_heard_in_the_next_call(town: Town, page: Page) -> None:
    elder = town.elder("王秀英")
    former = town.do(town.house.prompts.get(TEXT))
    page.goto(f"/prompts/{number_of(TEXT)}?language=zh")
    page.locator("[data-record]").click()
    expect(page.locator("[data-recorder] [data-part=status]")).to_contain_text("正在录音")
    page.wait_for_timeout(RECORDED_MS)
    page.locator("[data-record]").click()
    expect(page.locator("[data-recorder] [data-part=status]")).to_contain_text("录好了")
    page.get_by_role("button", name="检查录音").click()
    checks = page.locator("ul.checks")
    expect(checks).to_contain_text("有人说话")
    expect(checks).to_contain_text("没有破音")
    keep(page, "prompt-checked")
    page.set_viewport_size({"width": 320, "height": 640})
    publish = page.get_by_role("button", name="发布")
    assert publish.evaluate("button => button.scrollWidth <= button.clientWidth"), "its words fit on a small screen"
    page.set_viewport_size({"width": 1280, "height": 900})
    assert town.do(town.house.prompts.get(TEXT)) == former, "checking publishes nothing"
    sure = page.locator("[name=sure]")
    if sure.count():  # other words than those on the page: their length needn't fit
        sure.check()
    publish.click()
    expect(page.locator("p.result")).to_contain_text("已经发布")
    published = town.do(town.house.prompts.get(TEXT))
    assert published != former

    heard = _call(page, elder)
    assert _within(heard, samples(published)) > 0.9
    assert _within(heard, samples(former)) < 0.5

    page.goto(f"/prompts/{number_of(TEXT)}?language=zh")
    page.get_by_role("button", name="退回上一个声音").click()
    expect(page.locator("p.result")).to_be_visible()
    assert town.do(town.house.prompts.get(TEXT)) == former


def _call(page: Page, elder: str) -> Samples:
    """What a trial call says until it has asked how the elder is."""
    earpiece = Earpiece(page)
    page.goto(f"/phone?who={elder}")
    page.check("[value=trial]")
    page.uncheck("#use-mic")
    page.click("#hook")
    expect(page.locator("#stand")).to_contain_text("响铃")
    page.click("#hook")
    expect(page.locator("#mic")).to_contain_text("只按键")
    page.click("[data-key='1']")  # it is she
    expect(page.locator("#turns")).to_contain_text("今天身体好吗")
    page.wait_for_timeout(2 * RECORDED_MS)
    page.click("#hook")
    expect(page.locator("#stand")).to_contain_text("挂着")
    return earpiece.heard()


def _within(heard: Samples, prompt: Samples) -> float:
    """How like the loudest second of the prompt the likest second of what was heard is; 1 is the same."""
    loud = np.convolve(prompt**2, np.ones(TELEPHONE_HZ), "valid").argmax()
    piece = prompt[loud : loud + TELEPHONE_HZ]
    size = len(heard) + len(piece)
    found = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)
    power = np.concatenate([[0.0], np.cumsum(heard**2)])
    norms = np.sqrt(np.maximum(power[len(piece) :] - power[: -len(piece)], 0.0))
    alike = np.abs(found[: len(norms)]) / (norms * np.linalg.norm(piece) + 1e-9)
    return float(alike[norms > 0.2 * norms.max()].max())
