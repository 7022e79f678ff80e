"""The first day: a walk through the pages themselves, a box at the top of each that says what it is for.

Which stop somebody is at stands in a cookie of their browser; it is nobody's secret and nothing depends on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from fastapi import Response

from console import access
from console.roles import Role

COOKIE = "wenan_tour"
_step: ContextVar[int] = ContextVar("step", default=0)


@dataclass(frozen=True)
class Point:
    """What to look at; `at`: id of the element on that page, "" for none."""

    zh: str
    at: str = ""


@dataclass(frozen=True)
class Stop:
    address: str
    zh: str
    en: str
    points: tuple[Point, ...]


STOPS = (
    Stop(
        "/",
        "今天：谁要有人去",
        "who needs a person, most urgent first",
        (
            Point("最急的排最前。每一位写着等了多久，线路下一步打给谁、几点打。", "waiting"),
            Point("“接手”：这件事归您，线路不再找别人。“办结”：写清见到本人没有、情况怎样。", "waiting"),
            Point("已有人接手的，写着几点前要说结果。", "taken"),
            Point("线路、时钟、核对都是“正常”才放心；不正常，照“打印名单”人工打。", "house"),
        ),
    ),
    Stop(
        "/flagged",
        "待听：先听，再决定",
        "listen first, then decide",
        (
            Point("老人说了话的电话都在这里，呼救的排最前。听录音算数，文字只是参考。", "queue-head"),
            Point("空格播放，← → 前后跳；1 平安 2 我来联系 3 派人去看 4 打错了，回车确定。"),
            Point("您听了什么，都记在您的名下。"),
        ),
    ),
    Stop(
        "/board",
        "办理：诉求、一键通、见面",
        "complaints, tickets, meetings by deadline",
        (
            Point("快到期的排最前。打开一件：先听录音，听完才能答复；也可以请线路约见面。"),
            Point("答复写好以后，先听老人会听到什么，再发。电话会打给老人，老人说解决了才算完。"),
        ),
    ),
    Stop(
        "/items",
        "待办：机器做不了的事",
        "what only staff can do",
        (Point("回电、改号码、缺的联系。做完了按“办好了”，记在您的名下。"),),
    ),
    Stop(
        "/roster",
        "值班表：谁在，谁请假",
        "who is there, who is away",
        (
            Point("红的是空缺：那时候没有人可以派。先补上，再下班。", "gaps"),
            Point("老伙伴请假，写进去，替补的人自动顶上，马上算数。", "calendar-head"),
        ),
    ),
    Stop(
        "/notices",
        "公告：打电话告诉大家",
        "what is told by telephone",
        (Point("发之前先看会传到谁。公告随每天的问候电话传，紧急的专门打。没听懂的人，有上门单可以打印。"),),
    ),
    Stop(
        "/ballots",
        "打钩：大家来选",
        "choosing by telephone, paper, visit",
        (Point("纸上选的，打开那一次打钩，按“登记纸面”一张一张录。重复的不算，会说明为什么。"),),
    ),
    Stop(
        "/prompts",
        "录音词：线路说的每一句",
        "what the line says, in your own voice",
        (
            Point("每一句现在是谁的声音，上海话还缺哪些。打开一句就能听，也能自己录。在上面的“更多”里。"),
            Point("录好先“检查录音”，听整句；发布以后，下一个电话就用。不好，可以退回上一个声音。"),
        ),
    ),
    Stop(
        "/phone",
        "电话：自己试一次",
        "try it yourself",
        (
            Point("这是一部座机。接“今天的问候”，试试说“蛮好”和“不舒服”，看线路听到了什么。", "phone"),
            Point("“试打”不算数，不会惊动任何人。虚构的老人接今天的问候是算数的，会有个案。"),
        ),
    ),
)


@dataclass(frozen=True)
class Box:
    """What stands at the top of a page. `here`: this is the stop's own page."""

    number: int
    of: int
    stop: Stop
    here: bool

    @property
    def last(self) -> bool:
        return self.number == self.of


def stops(role: Role) -> Sequence[Stop]:
    """Those whose pages this role may open, and that the house has."""
    return [stop for stop in STOPS if _opens(role, stop.address)]


def box(role: Role, here: str) -> Box | None:
    """None for whoever isn't walking."""
    step, ahead = _step.get(), stops(role)
    if not 1 <= step <= len(ahead):
        return None
    stop = ahead[step - 1]
    return Box(step, len(ahead), stop, here.split("?")[0] == stop.address)


def begin(response: Response, step: int = 1, *, secure: bool) -> None:
    response.set_cookie(COOKIE, str(step), httponly=True, secure=secure, samesite="lax")


def end(response: Response, *, secure: bool) -> None:
    response.delete_cookie(COOKIE, secure=secure)


def step() -> int:
    """Of whoever asks; 0: they aren't walking."""
    return _step.get()


@contextmanager
def walking(cookie: str | None) -> Iterator[None]:
    token = _step.set(int(cookie) if cookie and cookie.isascii() and cookie.isdigit() and len(cookie) < 3 else 0)
    try:
        yield
    finally:
        _step.reset(token)


def _opens(role: Role, address: str) -> bool:
    row = access.ROUTES.get(f"GET {address}")
    return row is not None and role in row.roles
