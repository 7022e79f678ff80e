"""A case's log in short sentences, with names: Chinese, English second. Pure.

An event is a word, or "word:more". What nobody gave a sentence is shown as it is; a test goes through all that the
care room writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from checkins.cases import Event
from checkins.devices import KIND_ZH as DEVICE_ZH
from checkins.register_words import FIELD_ZH
from checkins.results import LINE, REASON_ZH, RESULT_ZH
from console.words import EVIDENCE_ZH, FOUND_LATER

WHO_ZH = {"buddy": "老伙伴", "duty": "值班", "deputy": "副班", "family": "家属", "street": "街道"}
STATE_ZH = {"died": "已故", "moved": "搬走", "paused": "暂停", "refused": "不要自动电话", "active": "恢复"}
_MORE_ZH = {str(word): text for words in (RESULT_ZH, REASON_ZH) for word, text in words.items()}
_MORE_ZH |= {"declined": "去不了", "wrong_person": "不是本人接的", "away": "要出门几天"}
_SOMEBODY = "对方"

# Whole events. {who}: the responder, or whoever did it.
_EVENTS: Mapping[str, tuple[str, str]] = {
    "ring:confirm": ("打给老人本人确认", "rings the elder to make sure"),
    "ring:elder": ("打电话给老人本人", "rings the elder"),
    "ring:taken": ("打电话告诉{who}已有人去了", "rings {who}: somebody has it"),
    "reply:accepted": ("{who}按键答应去", "{who} goes"),
    "reply:declined": ("{who}说去不了", "{who} can't go"),
    "reply:no_answer": ("{who}没有接电话", "{who}: no answer"),
    "reply:machine": ("{who}的电话是答录机", "{who}: answering machine"),
    "reply:busy": ("{who}的电话占线", "{who}: busy"),
    "reply:line_error": ("打给{who}，线路不通", "{who}: line error"),
    "reply:silent": ("{who}接了电话，没有按键答应", "{who} picked up and pressed nothing"),
    "reply:wrong_person": ("接电话的不是{who}", "somebody else than {who} picked up"),
    "says_fine": ("{who}打进电话说平安（不算，要打回去核实）", "{who} rang in: fine; to be asked by a call of ours"),
    "found:fine_seen": ("{who}见到老人，平安", "{who} saw the elder: fine"),
    "found:fine_heard": ("{who}听到老人，平安", "{who} heard the elder: fine"),
    "found:needs_help": ("{who}说老人需要帮助", "{who}: help is needed"),
    "found:nobody_opens": ("{who}说没人开门", "{who}: nobody opens"),
    "tell:taken": ("还要告诉{who}：已有人去了", "{who} must hear that somebody has it"),
    "told:heard": ("{who}知道已有人去了", "{who} knows that somebody has it"),
    "told:unheard": ("没能告诉{who}已有人去了", "{who} could not be told"),
    "told:needless": ("不用再告诉{who}", "{who} need not be told"),
    "no_finding": ("{who}答应后没有回音，继续找人", "no word from {who}: the search goes on"),
    "responder_alarm": (
        "{who}自己在电话里呼救：请马上打过去，必要时打120",
        "{who} cried for help: ring them, 120",
    ),
    "reminded": ("没有人可打，等这里有人接手", "nobody to ring: somebody here must take it"),
    "taken_over": ("{who}接手", "{who} takes over"),
    "closed": ("{who}办结", "closed by {who}"),
    "postponed:line_rules": ("推迟：拨打次数已到上限", "postponed: enough calls"),
    "contact:visited_fine": ("{who}登记：上门见到，平安", "{who} logged: visited, fine"),
    "contact:phoned_fine": ("{who}登记：电话里平安", "{who} logged: phoned, fine"),
    "contact:could_not_reach": ("{who}登记：没联系到", "{who} logged: could not reach"),
    "contact:worried": ("{who}登记：不放心", "{who} logged: worried"),
    "elder:present": ("老人接了，有人应", "the elder picked up"),
    "elder:says_fine": ("老人说没事（不算，仍要有人看到）", "the elder says fine: somebody must see"),
    "elder:needs_help": ("老人说需要帮助", "the elder needs help"),
    "device:alarm_button": ("老人按了报警按钮", "alarm button"),
    "device:smoke": ("烟雾报警器响了", "smoke detector"),
    "device:cancel": ("设备发来取消（不算，仍要有人看到）", "the device says cancel: somebody must see"),
    "device:test_mode": ("{who}把设备转为测试", "a device is in test mode"),
    "device:live": ("{who}让设备正式启用", "a device is live"),
    "decided:fine": ("{who}决定：平安", "{who} decided: fine"),
    "decided:contact": ("{who}决定：自己打电话联系", "{who} decided: rings the elder"),
    "decided:dispatch": ("{who}决定：派人去看", "{who} decided: somebody goes and looks"),
    "decided:wrong_number": ("{who}决定：打错了，号码停用", "{who} decided: wrong number"),
    "rang_in": ("{who}打进电话", "{who} rang in"),
    "handed_over": ("老人的电话由{who}接了", "{who} took the elder's call"),
    "promised": ("答应老人有人回电", "the elder was promised a call"),
}
# By the word before the colon: {more} is what comes after it.
_KINDS: Mapping[str, tuple[str, str]] = {
    "call": ("第 {more} 次拨打", "try {more}"),
    "ring": ("打电话给{who}（{more}），请去看看", "rings {who}"),
    "ask": ("打电话问{who}看到了什么", "asks {who} what they found"),
    "hand_over": ("把老人的电话转给{who}（{more}）", "the elder's call goes to {who}"),
    "not_handed_over": ("{who}没有接老人的电话：{more}", "{who} did not take the elder's call"),
    "needs_person": ("转人工：{more}", "needs a person"),
    "not_confirmed": ("不再打电话确认（{more}），以{who}所见为准", "not rung to make sure: by what {who} saw"),
    "closed": ("办结：{more}", "closed"),
    "postponed": ("推迟：{more}", "postponed"),
    "register": ("更改登记：{more}", "register changed"),
    "listened": ("听了录音", "listened"),
    "elder": ("打给老人：{more}", "the elder's call"),
    "own": ("{who}自己打来电话：{more}", "{who} rang in: {more}"),
    "device_test": ("设备测试：{more}", "device test"),
}
_NO_COLON = frozenset({"listened"})


@dataclass(frozen=True)
class Sentence:
    zh: str = field(repr=False)
    en: str = field(repr=False)


def known(what: str) -> bool:
    """Whether there is a sentence for an event of this name."""
    word, colon, _ = what.partition(":")
    by_word = word in _KINDS and (bool(colon) or word in _NO_COLON)
    return what in _EVENTS or by_word or what in _MORE_ZH


def sentence(event: Event, names: Mapping[str, str] | None = None) -> Sentence:
    """`names`: of responders, by id."""
    word, _, more = event.what.partition(":")
    zh, en = _EVENTS.get(event.what) or _KINDS.get(word) or (_MORE_ZH.get(event.what, event.what), "")
    who = _who(event, names or {})
    zh = _filled(zh, who, _more(word, more))
    return Sentence(zh + _besides(event), _filled(en, who, more))


def _filled(text: str, who: str, more: str) -> str:
    return text.replace("{more}", more).replace("{who}", who)


def _besides(event: Event) -> str:
    """How it was said, or what a recording was found to hold."""
    if event.detail.get("alarm") == "second_pass":
        return f"：{FOUND_LATER}「{event.detail.get('alarm_text', '')}」"
    evidence = EVIDENCE_ZH.get(str(event.detail.get("evidence")), "")
    if evidence and (event.what in _MORE_ZH or event.what.startswith("own:")):
        return f"：{evidence}"
    if event.what == "taken_over" and event.detail.get("had"):
        return f"（从{event.detail['had']}那里）"
    noted = event.detail.get("finding") if event.what == "closed" else event.detail.get("note")
    return f"：{noted}" if noted else ""


def _who(event: Event, names: Mapping[str, str]) -> str:
    responder = event.detail.get("responder")
    if responder:
        return names.get(str(responder)) or (event.who if event.who != LINE else "") or _SOMEBODY
    return event.who if event.who != LINE else _SOMEBODY


def _more(word: str, more: str) -> str:
    if word in ("ring", "hand_over"):
        return WHO_ZH.get(more, more)
    if word == "closed":
        return STATE_ZH.get(more, more)
    if word == "register":
        return FIELD_ZH.get(more, more)
    return DEVICE_ZH.get(more, more) if word == "device_test" else _MORE_ZH.get(more, more)
