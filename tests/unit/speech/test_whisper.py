"""Whisper: features, the judgement of its hypotheses, and real speech on real weights."""

from __future__ import annotations

import math

import numpy as np
import pytest

from speech import phrases
from speech.ears import Ears
from speech.engines.gate import credible, is_breath, nobody_spoke, voiced_enough
from speech.engines.log_mel import log_mel
from speech.engines.whisper_engine import (
    PIECE_S,
    Decoded,
    WhisperRecogniser,
    judge,
    pieces,
)
from speech.recogniser import Hypothesis, Mode, Request
from speech.resample import to_floats
from tests.unit.speech.audio import mixed, noise, over_the_line, prompt, quieter, silence
from tests.unit.speech.sounds import KINDS, sound

MENU = {"well": ["蛮好的", "没事的"], "yes": ["是的"], "distress": ["救命"], "unwell": ["不舒服"]}

# ── features ──────────────────────────────────────────────────────────────────────────────────────


def test_features_have_the_shape_and_range_that_whisper_knows() -> None:
    features = log_mel(np.zeros(16_000, np.float32), 10.0)
    assert features.shape == (80, 1000)
    assert np.allclose(features, (math.log10(1e-10) + 4) / 4)


def test_a_tone_lies_in_its_mel_bin_and_nowhere_else() -> None:
    tone = 0.5 * np.sin(np.arange(16_000) * 2 * np.pi * 1000 / 16_000).astype(np.float32)
    features = log_mel(tone, 2.0)
    loudest = features[:, 50].argmax()
    # Slaney's scale puts 1000 Hz at mel 15 of 45.2 (8 kHz), so at the 15 / 45.2 × 81st edge.
    assert abs(int(loudest) - (15 / 45.245 * 81 - 1)) <= 1
    assert features[:, 50].max() == features.max()
    assert features[:, 150].max() == pytest.approx(features.max() - 2.0), "eight decades below, and no lower"


# ── hypotheses ────────────────────────────────────────────────────────────────────────────────────


def decoded(*said: tuple[str, float]) -> list[Decoded]:
    return [Decoded(text, score, tokens=3) for text, score in said]


def test_the_best_hypothesis_gives_the_meaning_and_its_lead() -> None:
    verdict = judge(decoded(("蛮好的", -0.5), ("满好的", -1.5), ("买了", -4.0)), MENU)
    assert verdict is not None
    assert verdict.meaning == "well"
    both = math.log(math.exp(-0.5) + math.exp(-1.5))
    assert verdict.lead == pytest.approx(both - math.log(2 * math.exp(-4.0)))


def test_a_rival_meaning_shrinks_the_lead() -> None:
    verdict = judge(decoded(("没事的", -1.0), ("是的", -1.2), ("是的。", -2.0)), MENU)
    assert verdict is not None
    assert verdict.meaning == "well"
    assert verdict.lead < 0


def test_others_give_an_uncertain_meaning_when_the_best_has_none() -> None:
    verdict = judge(decoded(("笑面", -1.4), ("救命", -2.0), ("救命!", -2.5)), MENU)
    assert verdict is not None
    assert verdict.meaning == "distress"


def test_a_meaning_far_behind_counts_for_nothing() -> None:
    assert judge(decoded(("今天天气不错", -0.2), ("救命", -6.0)), MENU) is None
    assert judge(decoded(("今天天气不错", -0.2)), MENU) is None


@pytest.mark.parametrize(
    "text",
    [
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "字幕由Amara.org社区提供",
        "字幕by索兰娅",
        "谢谢观看",
        "这次是普通话的句子。",
        "Thank you.",
        "...",
        "",
    ],
)
def test_inventions_are_nothing(text: str) -> None:
    assert credible(text) == ""


def test_loops_are_said_once() -> None:
    assert credible("没事没事没事没事没事") == "没事"
    assert credible("不如我,不如我,不如我。") == "不如我。"
    assert credible("对对") == "对对"


def test_a_long_text_of_little_content_is_nothing() -> None:
    loop = "我们在这里唱歌跳舞,大家在这里唱歌跳舞,"
    assert credible("前面还有一句话。" + loop + "一" + loop + "二" + loop + "三" + loop) == ""
    said = "我家楼上漏水,从前天晚上开始,厨房和卫生间的天花板都湿了,物业来看过一次,说要等楼上的人回来。"
    assert credible(said) == said


def test_the_models_two_doubts_are_added() -> None:
    assert nobody_spoke(0.9, -2.0)
    assert nobody_spoke(0.4, -2.3)
    assert not nobody_spoke(0.6, -0.6), "a clear sentence from far away"
    assert not nobody_spoke(0.05, -1.7), "an unclear word from near by"


def test_a_sentence_needs_voice_and_a_breath_is_none() -> None:
    assert not voiced_enough("今天天气很好", 120)
    assert voiced_enough("今天天气很好", 700)
    assert is_breath("啊", -1.8)
    assert not is_breath("啊", -0.3)
    assert not is_breath("救命啊", -1.8)


def test_long_audio_is_cut_where_it_is_quiet() -> None:
    loud, gap = noise(24_000, 3000), silence(600)
    audio = loud + gap + noise(20_000, 3000, seed=2)
    first, second = pieces(audio)
    assert first + second == audio
    assert abs(len(first) / 16 - 24_300) <= 400
    assert all(len(piece) / 16_000 <= PIECE_S for piece in pieces(noise(90_000, 500)))


# ── real speech ───────────────────────────────────────────────────────────────────────────────────


def heard(engine: WhisperRecogniser, pcm: bytes, request: Request) -> Hypothesis:
    stream = engine.open(request)
    for at in range(0, len(pcm), 320):
        stream.feed(pcm[at : at + 320])
    return stream.finish()


def telephone(text: str) -> bytes:
    return over_the_line(silence(400) + prompt(text) + silence(1200))


@pytest.mark.weights
def test_a_menu_phrase_is_understood(whisper: WhisperRecogniser) -> None:
    menu = {"well": ["好的,谢谢您告诉我们"], "no": ["请讲"], "distress": ["救命"]}
    told = heard(whisper, telephone("好的,谢谢您告诉我们。"), Request("answer", menu))
    assert (told.meaning, told.agreed, told.engine) == ("well", True, "whisper")
    assert told.confidence > 0.5
    assert told.margin is not None
    assert told.margin > 1
    assert 3 < told.seconds < 4


@pytest.mark.weights
def test_what_is_off_the_menu_has_text_and_no_meaning(whisper: WhisperRecogniser) -> None:
    told = heard(whisper, telephone("居委会的自动语音电话。是"), Request("answer", MENU))
    assert told.meaning is None
    assert "电话" in told.text


@pytest.mark.weights
def test_distress_is_heard_inside_a_sentence(whisper: WhisperRecogniser) -> None:
    request = Request("answer", {"well": ["蛮好"], "distress": ["请马上打"]})
    told = heard(whisper, telephone("别怕,正在找人来。要紧的话,请马上打120。您怎么了?请讲。"), request)
    assert told.meaning == "distress"


@pytest.mark.weights
def test_dictation_is_written_down(whisper: WhisperRecogniser) -> None:
    said = "对不起,打扰了。再会。记下了,居委会的人会听。"
    pcm = telephone("对不起,打扰了。再会。") + telephone("记下了,居委会的人会听。")
    told = heard(whisper, pcm, Request("dictation"))
    wanted = set(phrases.normalise(said))
    assert len(wanted & set(phrases.normalise(told.text))) / len(wanted) > 0.6
    assert told.meaning is None


@pytest.mark.weights
@pytest.mark.parametrize("mode", ["answer", "dictation"])
@pytest.mark.parametrize("rms", [60, 600, 3000])
@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_said_is_nothing(whisper_once: WhisperRecogniser, kind: str, rms: int, mode: Mode) -> None:
    told = heard(whisper_once, over_the_line(sound(kind, 5, rms, seed=7)), Request(mode, MENU))
    assert (told.text, told.meaning) == ("", None)


@pytest.mark.weights
@pytest.mark.parametrize("mode", ["answer", "dictation"])
def test_silence_is_nothing(whisper: WhisperRecogniser, mode: Mode) -> None:
    assert heard(whisper, silence(4000), Request(mode, MENU)).text == ""
    assert heard(whisper, over_the_line(noise(4000, 30)), Request(mode, MENU)).text == ""


SAID = ("好的,谢谢您告诉我们。", "对不起,打扰了。再会。", "记下了,居委会的人会听。")


@pytest.mark.weights
@pytest.mark.parametrize("mode", ["answer", "dictation"])
@pytest.mark.parametrize("text", SAID)
def test_real_speech_passes_loud_quiet_and_in_noise(whisper_once: WhisperRecogniser, text: str, mode: Mode) -> None:
    said = silence(400) + prompt(text) + silence(1200)
    level = round(float(np.sqrt(np.mean(to_floats(prompt(text)) ** 2))) * 32768)
    for pcm in (said, quieter(said, 20), mixed(said, noise(len(said) // 16, level // 3))):
        told = heard(whisper_once, over_the_line(pcm), Request(mode, MENU))
        assert len(set(phrases.normalise(told.text)) & set(text)) >= len(text) // 3, told.text


@pytest.mark.weights
async def test_the_ears_understand_on_real_weights(whisper: WhisperRecogniser) -> None:
    ears = Ears([whisper], workers=1)
    request = Request("answer", {"well": ["好的,谢谢您告诉我们"], "distress": ["救命"]})
    ear = ears.open(request)
    pcm = telephone("好的,谢谢您告诉我们。")
    for at in range(0, len(pcm), 320):
        ear.feed(pcm[at : at + 320])
    told = await ear.finish()
    assert (told.meaning, told.certain, told.engine) == ("well", True, "whisper")
    assert told.work_s > 0
    assert ears.idle
    ears.close()
