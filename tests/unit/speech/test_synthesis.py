"""espeak-ng in a child: it speaks, and when it hangs, crashes or talks nonsense that costs one prompt, never more."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from speech import synthesis
from speech.espeak_child import check_mandarin
from speech.loudness import active_level
from speech.resample import to_floats
from speech.synthesis import EspeakChild, SynthesisError, plain

HANGS_S = 1.0  # how long a child is waited for; what works must be sure to be done by then
Make = Callable[..., EspeakChild]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Synthesisers that are closed at the end."""
    made: list[EspeakChild] = []

    def build(**options: object) -> EspeakChild:
        made.append(EspeakChild(**options))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for child in made:
        await child.close()


def child_that(folder: Path, body: str) -> list[str]:
    """A child that greets and then does `body` for each line of input. `n` counts the starts."""
    script = folder / "child.py"
    script.write_text(
        "import json, os, sys, time\n"
        f"starts = {str(folder / 'starts')!r}\n"
        "open(starts, 'a').write('x')\n"
        "n = os.path.getsize(starts)\n"
        "def say(head, body=b''):\n"
        "    sys.stdout.buffer.write(json.dumps(head).encode() + b'\\n' + body)\n"
        "    sys.stdout.buffer.flush()\n"
        "def speak(request):\n"
        "    say({'id': request['id'], 'bytes': 1600, 'hz': 8000}, b'\\x01\\x02' * 800)\n"
        "say({'ready': True})\n"
        "for line in sys.stdin:\n"
        "    request = json.loads(line)\n" + textwrap.indent(textwrap.dedent(body), "    "),
        "utf-8",
    )
    return [sys.executable, str(script)]


def starts(folder: Path) -> int:
    return (folder / "starts").stat().st_size


def gone(pid: int) -> bool:
    """Neither running nor a zombie."""
    return not Path(f"/proc/{pid}").exists()


def pid_of(child: EspeakChild) -> int:
    assert child._child is not None
    return child._child.pid


async def test_it_speaks_mandarin_slowly(make: Make) -> None:
    text = "您好,这里是居委会的自动语音电话。"
    pcm = await make().render(text, "zh")
    assert 0.2 < len(pcm) / 16000 / len(text) < 0.6
    assert active_level(to_floats(pcm)) > -30


async def test_the_system_library_speaks_mandarin_or_says_that_it_can_not(make: Make) -> None:
    """Debian 12's spells Chinese characters as English letters; other systems have a newer one, or none."""
    try:
        pcm = await make(command=[sys.executable, "-P", str(synthesis.CHILD), "system"]).render("好", "zh")
    except SynthesisError as error:
        assert "can't read Chinese" in str(error) or "libespeak-ng" in str(error)  # noqa: PT017
    else:
        assert len(pcm) / 16000 < 1.5


@pytest.mark.parametrize("phonemes", [b"(en)h\xcb\x8ce(cmn)", b"", None])
def test_a_voice_that_changes_to_english_is_no_mandarin_voice(phonemes: bytes | None) -> None:
    library = SimpleNamespace(
        espeak_Info=lambda _: b"1.51", espeak_SetVoiceByName=lambda _: 0, espeak_TextToPhonemes=lambda *_: phonemes
    )
    with pytest.raises(RuntimeError, match=r"1\.51 can't read Chinese"):
        check_mandarin(cast("ctypes.CDLL", library))


async def test_prompts_do_not_mix_when_many_ask_at_once(make: Make) -> None:
    child = make()
    texts = ["王阿婆", "今天身体好吗?身体好,请按1;不舒服,请按2。", "好。"] * 5
    alone = {text: len(await child.render(text, "zh")) for text in dict.fromkeys(texts)}
    together = await asyncio.gather(*(child.render(text, "zh") for text in texts))
    assert [len(pcm) for pcm in together] == [pytest.approx(alone[text], rel=0.1) for text in texts]


async def test_markup_and_line_breaks_are_mere_text(make: Make) -> None:
    child = make()
    plain_text = await child.render("您好", "zh")
    marked = await child.render('<speak><break time="9s"/>您好</speak>\n{"id": 7}', "zh")
    assert len(marked) > len(plain_text)  # the marks are read out, not obeyed
    assert len(marked) / 16000 < 20
    assert len(await child.render("您好", "zh")) == pytest.approx(len(plain_text), rel=0.1)
    assert plain(" a\nb\x00c‮d ") == "a b c d"


@pytest.mark.parametrize("text", ["", " \n", "好" * 401])
async def test_what_is_no_prompt_never_reaches_the_child(make: Make, tmp_path: Path, text: str) -> None:
    child = make(command=child_that(tmp_path, "speak(request)"))
    with pytest.raises(SynthesisError, match="1 to 400 characters"):
        await child.render(text, "zh")
    assert not (tmp_path / "starts").exists()


async def test_it_has_no_shanghainese_voice(make: Make) -> None:
    with pytest.raises(SynthesisError, match="'wuu'"):
        await make().render("侬好", "wuu")


async def test_a_hang_costs_one_prompt(make: Make, tmp_path: Path) -> None:
    child = make(timeout_s=HANGS_S, command=child_that(tmp_path, "time.sleep(60) if n == 1 else speak(request)"))
    with pytest.raises(SynthesisError, match="took too long"):
        await child.render("一", "zh")
    assert len(await child.render("二", "zh")) == 1600
    assert starts(tmp_path) == 2


async def test_a_crash_costs_one_prompt(make: Make, tmp_path: Path) -> None:
    child = make(command=child_that(tmp_path, "os.kill(os.getpid(), 11) if n == 1 else speak(request)"))
    with pytest.raises(SynthesisError, match="exit code -11"):
        await child.render("一", "zh")
    assert len(await child.render("二", "zh")) == 1600


async def test_a_child_killed_between_prompts_is_replaced(make: Make, tmp_path: Path) -> None:
    child = make(command=child_that(tmp_path, "speak(request)"))
    await child.render("一", "zh")
    os.kill(pid_of(child), 9)
    with pytest.raises(SynthesisError, match="exit code -9"):
        await child.render("二", "zh")
    assert len(await child.render("三", "zh")) == 1600


@pytest.mark.parametrize(
    "nonsense",
    [
        "sys.stdout.buffer.write(b'Audio saved\\n'); sys.stdout.flush()",
        "say([1])",
        "say({'id': request['id']})",
        "say({'id': request['id'] + 1, 'bytes': 2, 'hz': 8000}, b'ab')",
        "say({'id': request['id'], 'bytes': -1, 'hz': 8000})",
        "say({'id': request['id'], 'bytes': 1 << 40, 'hz': 8000})",
        "say({'id': request['id'], 'bytes': 2, 'hz': 0}, b'ab')",
        "say({'id': request['id'], 'bytes': None, 'hz': 8000})",
        "sys.stdout.buffer.write(b'x' * 200_000); sys.stdout.flush()",
        "say({'id': request['id'], 'bytes': 100, 'hz': 8000}, b'short'); break",
    ],
)
async def test_nonsense_costs_one_prompt(make: Make, tmp_path: Path, nonsense: str) -> None:
    body = f"if n > 1:\n    speak(request)\nelse:\n    {nonsense}\n"
    child = make(timeout_s=2.0, command=child_that(tmp_path, body))
    with pytest.raises(SynthesisError):
        await child.render("一", "zh")
    assert len(await child.render("二", "zh")) == 1600


async def test_a_refused_prompt_keeps_the_child(make: Make, tmp_path: Path) -> None:
    body = "say({'id': request['id'], 'error': 'no audio'}) if request['text'] == '坏' else speak(request)"
    child = make(command=child_that(tmp_path, body))
    with pytest.raises(SynthesisError, match="no audio"):
        await child.render("坏", "zh")
    assert len(await child.render("好", "zh")) == 1600
    assert starts(tmp_path) == 1


async def test_a_child_that_never_works_is_left_alone_for_a_while(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "BACKOFF_S", (0.0, 1000.0))
    child = make(command=child_that(tmp_path, "sys.exit(3)"))
    reasons = []
    for _ in range(5):
        with pytest.raises(SynthesisError) as failed:
            await child.render("一", "zh")
        reasons.append(str(failed.value))
    assert starts(tmp_path) == 2  # at once again after the first failure, then not before the back-off ends
    assert "not started again yet" in reasons[-1]


async def test_a_missing_library_is_told_without_harm(make: Make, tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text('print(\'{"error": "OSError: libespeak-ng.so.1: cannot open"}\')')
    with pytest.raises(SynthesisError, match=r"libespeak-ng\.so\.1: cannot open"):
        await make(command=[sys.executable, str(script)]).render("一", "zh")
    with pytest.raises(SynthesisError, match="No such file"):
        await make(command=[str(tmp_path / "nothing")]).render("一", "zh")


async def test_nobody_is_left_behind(make: Make, tmp_path: Path) -> None:
    child = make(timeout_s=HANGS_S, command=child_that(tmp_path, "time.sleep(60) if n == 1 else speak(request)"))
    with pytest.raises(SynthesisError):
        await child.render("一", "zh")
    await child.render("二", "zh")
    pid = pid_of(child)
    await child.close()
    await child.close()
    assert gone(pid)
    with pytest.raises(SynthesisError, match="closed"):
        await child.render("三", "zh")


async def test_a_caller_who_goes_away_leaves_no_half_read_answer(make: Make, tmp_path: Path) -> None:
    body = "time.sleep(0.2 if n == 1 else 0)\nspeak(request)"
    child = make(command=child_that(tmp_path, body))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(child.render("一", "zh"), 0.15)
    assert len(await child.render("二", "zh")) == 1600


async def test_the_child_ends_with_its_parent_even_in_mid_utterance() -> None:
    """The parent was killed: the child's input closes while the engine works."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        str(synthesis.CHILD),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 10)
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_errors_never_repeat_the_text(make: Make, tmp_path: Path) -> None:
    child = make(
        timeout_s=HANGS_S, command=child_that(tmp_path, "time.sleep(60) if n == 1 else sys.exit(request['text'])")
    )
    for _ in range(2):
        with pytest.raises(SynthesisError) as failed:
            await child.render("王阿婆", "zh")
        assert "阿婆" not in str(failed.value)
