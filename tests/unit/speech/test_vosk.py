"""The Vosk adapter on real weights (Korean, the only ones that a package carries), and its own logic on none.

The speech is espeak-ng's, which Vosk understands badly: just what shows that a grammar believes anything.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import speech
from speech.engines.vosk_engine import VoskRecogniser, glue
from speech.interpret import interpret
from speech.recogniser import Hypothesis, Request
from speech.resample import resample
from tests.unit.speech.audio import noise, over_the_line, silence

MENU = {"yes": ["네", "좋아요"], "no": ["아니요"], "distress": ["살려 주세요"]}  # yes, good; no; help me
ANSWER = Request("answer", MENU, "ko")
CHILD = Path(speech.__file__).with_name("espeak_child.py")

pytestmark = pytest.mark.weights


@pytest.fixture(scope="session")
def say() -> dict[str, bytes]:
    """Korean sentences as telephone audio, spoken by espeak-ng in a child process."""
    sentences = ("네", "아니요", "살려 주세요", "몸이 아파요", "어제 친구와 같이 시장에 갔어요")
    with subprocess.Popen([sys.executable, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        if "error" in json.loads(child.stdout.readline()):
            pytest.skip("espeak-ng does not run here")
        spoken = {}
        for text in sentences:
            order = {"id": 1, "text": text, "voice": "ko", "rate": 120}
            child.stdin.write(json.dumps(order).encode() + b"\n")
            child.stdin.flush()
            head = json.loads(child.stdout.readline())
            pcm = resample(child.stdout.read(head["bytes"]), head["hz"], 8000)
            spoken[text] = over_the_line(silence(400) + pcm + silence(1200))
        child.stdin.close()
    return spoken


def heard(engine: VoskRecogniser, pcm: bytes, request: Request = ANSWER) -> tuple[Hypothesis, list[str]]:
    stream, partials = engine.open(request), []
    for at in range(0, len(pcm), 320):
        partial = stream.feed(pcm[at : at + 320])
        partials += [partial] if partial is not None else []
    return stream.finish(), partials


def test_menu_and_open_decoding_agree_on_a_plain_answer(korean: VoskRecogniser, say: dict[str, bytes]) -> None:
    told, _ = heard(korean, say["네"])
    assert (told.text, told.meaning, told.phrase, told.agreed) == ("네", "yes", "네", True)
    assert told.engine == "vosk"
    assert 0 < told.confidence <= 1
    (word,) = told.words
    assert 0.3 < word.start_s < word.end_s < told.seconds


def test_a_grammar_alone_makes_nothing_certain(korean: VoskRecogniser, say: dict[str, bytes]) -> None:
    """The grammar hears "no" in it; the open decoding hears something else."""
    told, _ = heard(korean, say["아니요"])
    assert (told.meaning, told.agreed) == ("no", False)
    assert not interpret(told, ANSWER).certain


@pytest.mark.parametrize("text", ["몸이 아파요", "어제 친구와 같이 시장에 갔어요"])
def test_nobody_is_rung_because_of_a_grammar(korean: VoskRecogniser, say: dict[str, bytes], text: str) -> None:
    """The grammar bends "my body hurts" into "help me"; only an open decoding that says so may ring people."""
    told, _ = heard(korean, say[text])
    assert told.meaning != "distress"
    assert not interpret(told, ANSWER).certain


def test_partials_grow_while_somebody_speaks(korean: VoskRecogniser, say: dict[str, bytes]) -> None:
    told, partials = heard(korean, say["어제 친구와 같이 시장에 갔어요"], Request("dictation", {}, "ko"))
    assert len(partials) >= 3
    assert len(partials[-1]) > len(partials[0])
    assert told.text
    assert len(told.words) == len(told.text.split())
    assert told.meaning is None


def test_a_long_dictation_keeps_what_was_said_before_a_pause(korean: VoskRecogniser, say: dict[str, bytes]) -> None:
    dictation = Request("dictation", {}, "ko")
    once, _ = heard(korean, say["몸이 아파요"], dictation)
    twice, _ = heard(korean, say["몸이 아파요"] + silence(2500) + say["몸이 아파요"], dictation)
    assert len(twice.words) >= 2 * len(once.words) - 1
    starts = [word.start_s for word in twice.words]
    assert starts == sorted(starts)


def test_silence_is_nothing(korean: VoskRecogniser) -> None:
    told, partials = heard(korean, over_the_line(noise(2000, 4)))
    assert (told.text, told.meaning, partials) == ("", None, [])


def test_streams_share_the_model_and_not_their_words(korean: VoskRecogniser, say: dict[str, bytes]) -> None:
    one, two = korean.open(ANSWER), korean.open(ANSWER)
    one.feed(say["네"])
    two.feed(silence(1000))
    assert (two.finish().text, one.finish().text) == ("", "네")


def test_a_grammar_holds_what_the_model_can_spell(korean: VoskRecogniser) -> None:
    grammar = korean.grammar({"yes": ["네", "좋아요"], "no": ["안좋아요"], "distress": ["살려주세요", "Ωψ"]})
    *spelled, unknown = grammar
    assert {"네", "좋아요"} <= set(spelled)
    assert all(korean.knows(word) for phrase in spelled for word in phrase.split())
    assert {phrase.replace(" ", "") for phrase in spelled} >= {"네", "좋아요", "살려주세요"}
    assert not any("Ω" in phrase for phrase in spelled), "a phrase without words is left out, the rest stays"
    assert korean.knows(unknown)


def test_a_menu_without_spellable_phrases_is_decoded_openly(korean: VoskRecogniser, say: dict[str, bytes]) -> None:
    told, _ = heard(korean, say["네"], Request("answer", {"yes": ["Ωψ"]}, "ko"))
    assert (told.text, told.meaning, told.agreed) == ("네", None, False)


def test_only_its_languages(korean: VoskRecogniser) -> None:
    assert korean.supports(ANSWER)
    assert not korean.supports(Request("answer", MENU, "zh"))


def test_chinese_words_are_written_without_gaps() -> None:
    assert glue(["身体", "很", "好"]) == "身体很好"
    assert glue(["我", "用", "iPhone", "手机"]) == "我用 iPhone 手机"
    assert glue([]) == ""


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="holds no Vosk model"):
        VoskRecogniser(tmp_path)
