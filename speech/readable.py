"""What a recogniser wrote, made readable for people: digits, punctuation, no stray blanks. Pure and idempotent.

Nothing is added or left out that could mean something: every word stays, a negation above all. Only blanks and fillers
said several times over ("那个那个那个") are tidied. What the engine wrote itself stays beside it in the call's log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from speech.numerals import NUMERALS, digits, is_one_number
from speech.phrases import simplify
from speech.recogniser import Word

# Between words in running speech lie up to 0.3 s; elders think longer in the middle of a sentence than the young.
COMMA_S = 0.45
STOP_S = 1.2  # as long as ends a short answer

_HAN = r"\u3400-\u9fff\uf900-\ufaff〇"
_WRITTEN = re.compile("[,。?!;、…]|[.](?![0-9])")
_BLANK = re.compile(rf"(?<=[{_HAN},。?!;:、，？！；：…])\s+|\s+(?=[{_HAN},。?!;:、，？！；：…])")
_FULL_WIDTH = (
    (re.compile(r"\.{2,}"), "……"),
    (re.compile(rf"(?<=[{_HAN}])\.(?![0-9])"), "。"),
    *((re.compile(rf"(?<![0-9A-Za-z]){half}|{half}(?![0-9A-Za-z])"), full) for half, full in (",，", ":：")),
    *((re.compile(re.escape(half)), full) for half, full in ("?？", "!！", ";；")),
)
_REPEATED_MARK = re.compile("[，。、]{2,}")
_FILLERS = re.compile("(嗯|呃|额|唔|那个|这个)(?:[，、]?\\1)+")  # 啊 is none: 啊啊啊 may be a cry

# No mark right after these: "我不 … 要去" is not "我不，要去".
_NEGATION = re.compile("(?:[不没勿别未无莫休覅]|[没呒][有没]|[不勿]要|[不勿]是|[不勿]会)$")

_ASKING = re.compile(
    "(?:吗|伐|哇|呢|勿啦)[呀啊]?$|(?:什么|啥|几|哪能|哪|怎么|咋|谁|多少)[^，]{0,4}$"
    "|什么时候|啥辰光|几时|几点|哪里|哪儿|哪能办|怎么办|为什么|为啥|啥地方|啥人|多少钱"
    "|有没有|能不能|好不好|是不是|会不会|要不要|可不可以|行不行|好勿好|是勿是"
)
# "谁都不来", "没什么", "不知道几时来": told, not asked.
_TELLING = re.compile(
    "(?:什么|啥|谁|哪里|哪儿|怎么|哪能|多少|几)[^，]{0,3}[都也侪]|[没无呒][有没]?，?(?:什么|啥|几|多少|怎么|哪能)"
    "|不知|不晓得|勿晓得|不清楚|不管|不论|无论|随便|不是|勿是|不怎么|勿哪能|好几|十几|几十|几百|告诉|想问"
)


def readable(text: str, words: Sequence[Word] = ()) -> str:
    """`text` for people. `words`: the same words with times, if the engine has them; pauses between them become
    punctuation where the engine wrote none. Words that don't make up the text are not used."""
    plain = simplify(text)
    if words and not _WRITTEN.search(plain) and _bare("".join(word.text for word in words)) == _bare(plain):
        plain = _by_pauses([(simplify(word.text), word.start_s, word.end_s) for word in words])
    return digits(_fillers(_marks(_BLANK.sub("", " ".join(plain.split())))))


def _bare(text: str) -> str:
    return "".join(simplify(text).split())


def _marks(text: str) -> str:
    """Marks in full width, one at a time, none at the beginning."""
    for half, full in _FULL_WIDTH:
        text = half.sub(full, text)
    text = _REPEATED_MARK.sub(lambda marks: "。" if "。" in marks[0] else marks[0][0], text)
    return text.lstrip("，。、")


def _fillers(text: str) -> str:
    return _FILLERS.sub(r"\1", text)


def _by_pauses(words: Sequence[tuple[str, float, float]]) -> str:
    """Sentences and commas as long pauses say; no comma inside a number said slowly."""
    told, sentence = "", ""
    for at, (text, _, end) in enumerate(words):
        sentence += f" {text}"
        last = at + 1 == len(words)
        pause = STOP_S if last else words[at + 1][1] - end
        if not last and _NEGATION.search(text):
            continue
        if pause >= STOP_S:
            told += sentence + _ending(sentence)
            sentence = ""
        elif pause >= COMMA_S and not _one_number(sentence, words[at + 1 :]):
            sentence += "，"
    return told


def _one_number(before: str, after: Sequence[tuple[str, float, float]]) -> bool:
    """Whether a number goes on across the pause: 一三八…一二三四, 一百…二十."""
    head = re.search(f"[{NUMERALS}]*$", "".join(before.split()))
    tail = re.match(f"[{NUMERALS}]*", "".join(text for text, _, _ in after))
    return bool(head and tail and head[0] and tail[0]) and is_one_number(_joined(head, tail))


def _joined(head: re.Match[str] | None, tail: re.Match[str] | None) -> str:
    return (head[0] if head else "") + (tail[0] if tail else "")


def _ending(sentence: str) -> str:
    plain = "".join(sentence.split())
    return "？" if _ASKING.search(plain) and not _TELLING.search(plain) else "。"
