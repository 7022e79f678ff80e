"""The list of sentences: what is asked for, in what order, page by page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from callflows import loader
from console.flow_words import FLOW_ZH
from console.prompt_shelf import LANGUAGES, Line
from console.sentences import LINE, by_rank
from speech.human import sentence_key
from speech.voices import Speaker

ON_A_PAGE = 50
STATES = {"": "全部", "missing": "还没有人录", "recorded": "真人录音"}
SPEAKER_ZH = {Speaker.PERSON: "真人录音", Speaker.PACK: "合成好的", Speaker.SYNTHESISER: "现场合成"}


@dataclass(frozen=True)
class Wanted:
    """`state` is of `language`; "" is whatever there is. `asked`: words, or a number."""

    flow: str = ""
    language: str = "wuu"
    state: str = ""
    asked: str = field(default="", repr=False)

    def fits(self, line: Line) -> bool:
        in_flow = not self.flow or self.flow in line.sentence.flows
        in_state = not self.state or line.recorded(self.language) == (self.state == "recorded")
        return in_flow and in_state and self._says(line)

    def _says(self, line: Line) -> bool:
        words = [word for word in map(sentence_key, self.asked.split()) if word]
        said = sentence_key(line.sentence.text + line.sentence.wuu)
        return all(word in said for word in words) or self.asked.strip() == str(line.sentence.number)

    def address(self, page: int = 1) -> str:
        """Of this list's page."""
        asked = {"flow": self.flow, "language": self.language, "state": self.state, "q": self.asked}
        numbered = asked | ({"page": str(page)} if page > 1 else {})
        return "/prompts?" + urlencode({name: value for name, value in numbered.items() if value})


@dataclass(frozen=True)
class ListPage:
    """`lines`: of this page; `missing`: how many nobody has recorded, by language, of those of the flow."""

    lines: Sequence[Line]
    count: int
    page: int
    pages: int
    missing: dict[str, int]


def wanted(flow: str, language: str, state: str, asked: str) -> Wanted:
    """From what an address says; what can't be asked for is whatever there is."""
    return Wanted(
        flow if flow in flows() else "",
        language if language in LANGUAGES else "wuu",
        state if state in STATES else "",
        asked[:100],
    )


def flows() -> dict[str, str]:
    """All that can be asked for."""
    return {name: FLOW_ZH.get(name, name) for name in by_rank([*loader.shipped_names(), LINE])}


def listed(lines: Sequence[Line], asked: Wanted, page: int) -> ListPage:
    """What nobody has recorded in Shanghainese comes first; else as `lines` are."""
    found = sorted((line for line in lines if asked.fits(line)), key=lambda line: line.shanghainese)
    of_flow = [line for line in lines if not asked.flow or asked.flow in line.sentence.flows]
    missing = {language: sum(not line.recorded(language) for line in of_flow) for language in LANGUAGES}
    pages = max(1, -(-len(found) // ON_A_PAGE))
    page = min(max(page, 1), pages)
    return ListPage(found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE], len(found), page, pages, missing)
