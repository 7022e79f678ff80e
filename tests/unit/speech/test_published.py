"""What was recorded by telephone is published whole, used from the next prompt on, and can be taken back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from speech.human import HumanRecordings
from speech.prompts import Prompts
from speech.published import LOG, ChangedError, Published

TEXT = "今天身体好吗?"
FIRST, SECOND = b"\x10" * 800, b"\x20" * 900


def publish(folder: Path, prompt: bytes, take: str, text: str = TEXT) -> None:
    Published(folder).publish("zh", text, prompt, take, "chen", "2026-03-02T09:00:00+00:00")


def heard(folder: Path) -> bytes | None:
    return HumanRecordings(folder).get(TEXT, "zh")


def test_a_running_line_uses_it_from_the_next_prompt_on(tmp_path: Path) -> None:
    prompts = Prompts(cache=tmp_path / "cache", human=tmp_path / "human", packs=tmp_path / "none")
    assert prompts.find(TEXT) is None
    publish(tmp_path / "human", FIRST, "one")
    assert prompts.find(TEXT) == FIRST
    publish(tmp_path / "human", SECOND, "two")
    assert prompts.find("今天身体好吗") == SECOND
    Published(tmp_path / "human").withdraw("zh", TEXT, "书记", "later")
    assert prompts.find(TEXT) == FIRST


def test_it_wins_over_what_lies_in_the_folder_and_gives_it_back(tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "001.ulaw").write_bytes(b"\x30" * 800)
    (tmp_path / "zh" / "index.tsv").write_text(f"001.ulaw\t{TEXT}\n", "utf-8")
    publish(tmp_path, FIRST, "one")
    assert heard(tmp_path) == FIRST
    taken = Published(tmp_path).withdraw("zh", TEXT, "书记", "later")
    assert taken is not None
    assert (taken.take, heard(tmp_path)) == ("one", b"\x30" * 800)
    assert Published(tmp_path).withdraw("zh", TEXT, "书记", "later") is None


def test_the_log_says_who_and_when_and_the_same_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        publish(tmp_path, FIRST, "one")
    (line,) = (tmp_path / LOG).read_text("utf-8").splitlines()
    assert json.loads(line)["by"] == "chen"
    assert [(one.act, one.take) for one in Published(tmp_path).history()] == [("publish", "one")]


def test_half_a_line_of_the_log_was_never_done_and_spoils_no_other(tmp_path: Path) -> None:
    publish(tmp_path, FIRST, "one")
    with (tmp_path / LOG).open("a", encoding="utf-8") as log:
        log.write('{"act": "publish", "at": "20')
    publish(tmp_path, SECOND, "two")
    assert [one.take for one in Published(tmp_path).history()] == ["one", "two"]


@pytest.mark.parametrize(("text", "take"), [("?", "one"), (TEXT, "../one"), (TEXT, ""), ("长" * 100, "one")])
def test_what_can_be_no_file_is_refused(tmp_path: Path, text: str, take: str) -> None:
    with pytest.raises(ValueError, match=r"published|long"):
        publish(tmp_path, FIRST, take, text)


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, moment: int) -> Iterator[list[int]]:
    """Dies before the nth call that makes something durable or visible."""
    left = [moment]

    def dying(real: object) -> object:
        def act(*args: object, **kwargs: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return real(*args, **kwargs)  # type: ignore[operator]

        return act

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dying(os.fsync))
        patch.setattr(Path, "replace", dying(Path.replace))
        patch.setattr(Path, "unlink", dying(Path.unlink))
        yield left


@pytest.mark.parametrize("act", ["publish", "withdraw"])
def test_killed_between_any_two_writes_leaves_the_old_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    old, new = (FIRST, SECOND) if act == "publish" else (SECOND, FIRST)
    for moment in range(20):
        folder = tmp_path / str(moment)
        publish(folder, FIRST, "one")
        if act == "withdraw":
            publish(folder, SECOND, "two")
        with killed_at(monkeypatch, moment) as left:
            try:
                if act == "publish":
                    publish(folder, SECOND, "two")
                else:
                    Published(folder).withdraw("zh", TEXT, "书记", "later")
            except Killed:
                pass
        assert heard(folder) in (old, new)
        intended = len(Published(folder).history()) > (1 if act == "publish" else 2)
        Published(folder).settle()
        assert heard(folder) == (new if intended else old)
        if left[0] >= 0:
            break
    assert moment >= 4, "there is more than one write"
    assert left[0] >= 0


def test_who_has_not_seen_what_stands_there_now_changes_nothing(tmp_path: Path) -> None:
    shelf = Published(tmp_path)
    shelf.publish("zh", TEXT, FIRST, "one", "chen", "at", instead_of="")
    with pytest.raises(ChangedError) as refused:
        shelf.publish("zh", TEXT, SECOND, "two", "li", "at", instead_of="")
    assert refused.value.now is not None
    assert refused.value.now.by == "chen"
    with pytest.raises(ChangedError):
        shelf.withdraw("zh", TEXT, "li", "at", instead_of="two")
    shelf.publish("zh", TEXT, FIRST, "one", "chen", "at", instead_of="")  # sent twice
    assert heard(tmp_path) == FIRST
    assert [one.take for one in shelf.history()] == ["one"]
    assert not (tmp_path / "zh" / "phone" / "kept" / "two.ulaw").exists()
    shelf.publish("zh", TEXT, SECOND, "two", "li", "at", instead_of="one")
    assert heard(tmp_path) == SECOND
    assert shelf.withdraw("zh", TEXT, "li", "at", instead_of="two")
    assert heard(tmp_path) == FIRST


def test_of_two_at_once_one_is_published_and_the_other_hears_of_it(tmp_path: Path) -> None:
    def try_to(take: str) -> str:
        try:
            Published(tmp_path).publish("zh", TEXT, FIRST, take, take, "at", instead_of="")
        except ChangedError as error:
            return error.now.by if error.now else ""
        return "published"

    with ThreadPoolExecutor(8) as pool:
        said = sorted(pool.map(try_to, [f"take{n}" for n in range(8)]))
    (winner,) = {one.by for one in Published(tmp_path).history()}
    assert said == sorted(["published", *[winner] * 7])


def test_every_take_can_still_be_heard(tmp_path: Path) -> None:
    publish(tmp_path, FIRST, "one")
    publish(tmp_path, SECOND, "two")
    shelf = Published(tmp_path)
    assert (shelf.audio("zh", "one"), shelf.audio("zh", "two")) == (FIRST, SECOND)
    assert shelf.audio("zh", "../../published") is None
    assert shelf.audio("..", "one") is None
