"""From YAML to a checked Flow. The first fault ends the load with one FlowError, "FILE:LINE: sentence".

A list of phrases that a flow names and doesn't hold comes from the lexicon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml

import lexicon
from callflows import checks, shared, wording
from callflows.findings import EMERGENCY, STRENGTH
from callflows.flow import (
    CONDITIONS,
    KEY,
    NAME,
    REPEAT,
    Bridge,
    Choice,
    Dictation,
    Entry,
    Exit,
    Flow,
    Pick,
    Query,
    Step,
    Variable,
)
from callflows.picks import KEYS
from callflows.prompting import FIELDS, PromptReader
from callflows.source import FlowError, Source, place_of

__all__ = ["FlowError", "load", "shipped", "shipped_names"]

_FLOWS = Path(__file__).parent / "flows"
_TOP_OPTIONAL = ("distress", "results", "variables", "phrases", "anytime", "goodbye")
_TOP = ("flow", "version", "languages", "start", "acknowledge", "moments", "steps", *_TOP_OPTIONAL)
MOMENTS = ("emergency", "machine", "limit", "emergency_limit", "keys_only", "next_person")
_EXITS = ("go", "no_input", "no_match", "any_key", "any_speech", "else", "too_often")
# What a step can do → what it then must say besides. Without any of these it says something and goes on.
_LISTENS = ("answers", "any_key", "any_speech", "no_match")
_KINDS = {
    "dictate": ("no_input", "hang_up", "go"),
    "digits": ("no_input", "hang_up", "no_match", "go"),
    "pick": ("no_input", "hang_up", "no_match"),
    "query": ("hang_up", "verdicts", "no_verdict"),
    "hand_over": ("hang_up",),
    "answers": ("no_input", "hang_up", "no_match"),
}
_WITH = ("verdicts", "no_verdict", "about", "anytime", "seconds", "hang_up", "only_if", "at_most")
_STEP = (*FIELDS, *_EXITS, *_KINDS, *_WITH)
_ANSWER = ("key", "meaning", "hear", "go", "result", "unsure", "everyone", "forget", "unsaid")
_VARIABLE = ("about", "default", "usual", "per_person", "personal", "audio", "secret")
_KEYS = "0123456789*#"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_STEP_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_DISTRESS = "distress"  # the lexicon's meaning, and the flow's own list


def load(path: Path | str) -> Flow:
    """Reads and checks one flow file. FlowError also when the file can't be read."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise FlowError(f"{path}:1: the flow file can't be read: {reason}") from None
    return parse(text, str(path))


def parse(text: str, file: str) -> Flow:
    """The flow in `text`; `file` is its name in errors."""
    source = Source(file, text)
    flow = _Loader(source).flow()
    checks.check(flow, source)
    return flow


@lru_cache
def shipped(name: str) -> Flow:
    """A flow that comes with the program."""
    if name not in shipped_names():
        raise FlowError(f"{name}:1: no such flow comes with the program (known: {', '.join(shipped_names())})")
    return load(_FLOWS / f"{name}.yaml")


def shipped_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _FLOWS.glob("*.yaml")))


class _Loader:
    """Turns nodes into values, top down. Names are checked where they stand; the graph is checked afterwards."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.languages: tuple[str, ...] = ()
        self.variables: dict[str, Variable] = {}
        self.results: tuple[str, ...] = STRENGTH
        self.prompts = PromptReader(source, (), {})
        book = lexicon.load()
        self.words = {meaning: book.phrases(meaning) for meaning in book.meanings}
        self.phrases: dict[str, tuple[str, ...]] = {}  # the lexicon's, and the flow's own over them
        self.anytime: tuple[Choice, ...] = ()

    def flow(self) -> Flow:
        src = self.source
        required = [name for name in _TOP if name not in _TOP_OPTIONAL]
        top = src.mapping(src.root(), "the flow", _TOP, required)
        self.languages = self._texts(top["languages"], "languages")
        self.variables = self._variables(top.get("variables"))
        self.results = self._results(top.get("results"))
        self.prompts = PromptReader(src, self.languages, self.variables)
        self.phrases = {**self.words, **self._phrases(top.get("phrases"))}
        self.anytime = tuple(self._choice(node) for node in self._items(top, "anytime"))
        acknowledge = self.prompts.one("acknowledge", top["acknowledge"], {})
        own = src.mapping(top["steps"], "steps")
        steps = {name: self._step(name, node) for name, node in {**own, **shared.lacking(src, top, own)}.items()}
        return Flow(
            name=src.text(top["flow"], "flow"),
            version=src.whole(top["version"], "version", 1, 1_000_000),
            file=src.file,
            languages=self.languages,
            start=self._known(top["start"], steps, "start"),
            variables=self.variables,
            acknowledge=acknowledge,
            moments=self._moments(top["moments"], steps),
            anytime=self.anytime,
            steps=steps,
            distress=self._distress(top.get(_DISTRESS)),
            results=self.results,
            goodbye=tuple(self._choice(node) for node in self._items(top, "goodbye")),
        )

    def _moments(self, node: yaml.Node, steps: dict[str, Step]) -> dict[str, str]:
        found = self.source.mapping(node, "moments", MOMENTS, MOMENTS)
        return {name: self._known(target, steps, f"moments: {name}") for name, target in found.items()}

    def _known(self, node: yaml.Node, steps: dict[str, Step], what: str) -> str:
        name = self.source.text(node, what)
        if name not in steps:
            self.source.fail(node, f'{what} leads to "{name}", but there is no such step')
        return name

    def _items(self, parent: dict[str, yaml.Node], name: str) -> list[yaml.Node]:
        return self.source.items(parent[name], name) if name in parent else []

    def _texts(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        nodes = self.source.items(node, what)
        texts: list[str] = []
        for one in nodes:
            text = self.source.text(one, f"every entry of {what}")
            if text in texts:
                self.source.fail(one, f'"{text}" stands twice in {what}')
            texts.append(text)
        if not texts:
            self.source.fail(node, f"{what} is empty")
        return tuple(texts)

    def _variables(self, node: yaml.Node | None) -> dict[str, Variable]:
        found: dict[str, Variable] = {}
        for name, one in (self.source.mapping(node, "variables") if node else {}).items():
            if not _NAME.fullmatch(name) or name in (NAME, KEY, *CONDITIONS):
                self.source.fail(one, f'"{name}" can\'t be a variable: small letters, and none of the built-in names')
            found[name] = self._variable(f"variable {name}", one)
        return found

    def _variable(self, what: str, node: yaml.Node) -> Variable:
        src = self.source
        fields = src.mapping(node, what, _VARIABLE, ("about",))
        per_person, audio = self._flag(fields, "per_person"), self._flag(fields, "audio")
        for name in ("default", "usual") if audio else ():
            if name in fields:
                src.fail(fields[name], f'{what} is a recording; nothing of it is rendered ahead: leave out "{name}"')
        return Variable(
            about=src.text(fields["about"], "about"),
            default=src.text(fields["default"], "default") if "default" in fields else None,
            usual=self._texts(fields["usual"], "usual") if "usual" in fields else (),
            per_person=per_person,
            personal=per_person or audio or self._flag(fields, "personal"),
            audio=audio,
            secret=self._flag(fields, "secret"),
        )

    def _results(self, node: yaml.Node | None) -> tuple[str, ...]:
        """The flow's own words, the weakest first, and the emergency; without them those of the check-in."""
        if node is None:
            return STRENGTH
        words = self._texts(node, "results")
        for word in words:
            if not _NAME.fullmatch(word) or word == EMERGENCY:
                self.source.fail(
                    node, f'"{word}" can\'t be a result: small letters and _; "{EMERGENCY}" is added by itself'
                )
        return (*words, EMERGENCY)

    def _phrases(self, node: yaml.Node | None) -> dict[str, tuple[str, ...]]:
        found = self.source.mapping(node, "phrases") if node else {}
        lists: dict[str, tuple[str, ...]] = {}
        for name, one in found.items():
            if name == NAME:
                self.source.fail(one, f'"{NAME}" can\'t be a list of phrases: it is the person who is asked after')
            below = found.keys() - lists.keys() - {name}  # its own name is the lexicon's list, which it adds to
            known = {word: ways for word, ways in self.words.items() if word not in below} | lists
            lists[name] = self._spelled(one, f"phrases: {name}", known)
        return lists

    def _distress(self, node: yaml.Node | None) -> tuple[str, ...]:
        """The flow's own words, else the lexicon's."""
        return self._spelled(node, _DISTRESS, self.words) if node else self.words[_DISTRESS]

    def _spelled(self, node: yaml.Node, what: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The list's phrases; where one names a list that is known, one for every entry of that list."""
        templates = self._texts(node, what)
        try:
            found = dict.fromkeys(phrase for template in templates for phrase in wording.spell(template, known))
        except wording.WordingError as error:
            self.source.fail(node, f"{what}: {error}")
        if len(found) > wording.MOST:
            self.source.fail(node, f"{what} has {len(found)} phrases; more than {wording.MOST} take too long")
        return tuple(found)

    # ── steps ────────────────────────────────────────────────────────────────────────────────────

    def _step(self, name: str, node: yaml.Node) -> Step:
        src = self.source
        if not _STEP_NAME.fullmatch(name):
            src.fail(node, f'"{name}" can\'t be a step: it needs two words with a dot, like "health.ask"')
        found = src.mapping(node, f"step {name}", _STEP, ("say",))
        self._shape(name, node, found)
        optional = {field: self._exit(found[field], f"{name}: {field}") for field in _EXITS if field in found}
        waits = "no_input" in found
        only_if = src.one_of(found["only_if"], "only_if", self._conditions()) if "only_if" in found else None
        return Step(
            name=name,
            place=src.named_at(node),
            prompts=self.prompts.of_step(name, found),
            choices=tuple(self._choice(one) for one in self._items(found, "answers")),
            anytime=self._offered(name, found) if waits else (),
            any_key=optional.get("any_key"),
            any_speech=optional.get("any_speech"),
            seconds=src.number(found["seconds"], "seconds", 3, 60) if "seconds" in found else 8.0,
            dictation=self._dictation(found["dictate"]) if "dictate" in found else None,
            entry=self._entry(found["digits"]) if "digits" in found else None,
            pick=self._pick(name, found["pick"]) if "pick" in found else None,
            query=self._query(name, found) if "query" in found else None,
            bridge=self._bridge(name, found["hand_over"]) if "hand_over" in found else None,
            go=optional.get("go"),
            no_input=optional.get("no_input"),
            no_match=optional.get("no_match"),
            hang_up=self._hang_up(found["hang_up"], name) if "hang_up" in found else None,
            only_if=only_if,
            otherwise=optional.get("else"),
            at_most=src.whole(found["at_most"], "at_most", 1, 50) if "at_most" in found else None,
            too_often=optional.get("too_often"),
        )

    def _shape(self, name: str, node: yaml.Node, found: dict[str, yaml.Node]) -> None:
        """Which fields belong together."""
        kinds = [kind for kind in _KINDS if kind in found] or ["answers" for field in _LISTENS if field in found][:1]
        listens = "answers" in kinds or "any_key" in found or "any_speech" in found
        if len(kinds) > 1 or (listens and kinds != ["answers"]):
            both = " and ".join(dict.fromkeys([*kinds, *(["answers"] if listens else [])]))
            self.source.fail(node, f"step {name} can't do several things at once ({both}): make two steps")
        waiting = kinds or "no_input" in found or "hang_up" in found
        needed = _KINDS[kinds[0] if kinds else "answers"] if waiting else ("go",)
        if listens and "go" in found:
            self.source.fail(found["go"], f'step {name} waits for an answer, so "go" belongs to the answers')
        for field in needed:
            if field not in found:
                why = "waits, so it must say what follows on" if waiting else "must say what follows:"
                self.source.fail(node, f'step {name} {why} "{field}"')
        if "about" in found and "query" not in found:
            self.source.fail(found["about"], f'step {name}: "about" belongs to a "query"')
        for one, other in (("only_if", "else"), ("at_most", "too_often")):
            if (one in found) != (other in found):
                self.source.fail(node, f'step {name}: "{one}" and "{other}" belong together')

    def _conditions(self) -> tuple[str, ...]:
        return (*CONDITIONS, *self.variables)

    def _offered(self, name: str, found: dict[str, yaml.Node]) -> tuple[str, ...]:
        meanings = tuple(dict.fromkeys(choice.meaning for choice in self.anytime))
        if "anytime" in found:
            listed = self._items(found, "anytime")  # an empty list offers none
            return tuple(self.source.one_of(one, f"step {name}: anytime", meanings) for one in listed)
        if "dictate" in found:  # by key only, and only what leads away from the dictation
            return tuple(choice.meaning for choice in self.anytime if choice.key and choice.exit.go != REPEAT)
        if "digits" in found:  # by keys that are no digits
            return tuple(choice.meaning for choice in self.anytime if choice.key == "*")
        return meanings

    def _dictation(self, node: yaml.Node) -> Dictation:
        found = self.source.mapping(node, "dictate", ("keep_as", "max_seconds"), ("keep_as",))
        seconds = self.source.number(found["max_seconds"], "max_seconds", 5, 600) if "max_seconds" in found else 180.0
        return Dictation(self.source.text(found["keep_as"], "keep_as"), seconds)

    def _entry(self, node: yaml.Node) -> Entry:
        src = self.source
        found = src.mapping(node, "digits", ("keep_as", "least", "most", "secret"), ("keep_as", "least", "most"))
        least = src.whole(found["least"], "least", 1, 20)
        return Entry(
            keep_as=src.text(found["keep_as"], "keep_as"),
            least=least,
            most=src.whole(found["most"], "most", least, 20),
            secret=self._flag(found, "secret"),
        )

    def _pick(self, step: str, node: yaml.Node) -> Pick:
        fields = ("each", "more", "go", "none")
        found = self.source.mapping(node, f"{step}: pick", fields, fields)
        mark = step.removesuffix(".ask")
        return Pick(
            each=tuple(self.prompts.one(f"{mark}.each", found["each"], found, key=key) for key in KEYS),
            more=self.prompts.one(f"{mark}.more", found["more"], found, (NAME,)),
            go=self._exit(found["go"], f"{step}: go"),
            none=self._exit(found["none"], f"{step}: none"),
        )

    def _query(self, step: str, found: dict[str, yaml.Node]) -> Query:
        words = self.source.mapping(found["verdicts"], f"{step}: verdicts")
        verdicts = {word: self._exit(node, f"{step}: {word}") for word, node in words.items()}
        none = self._exit(found["no_verdict"], f"{step}: no_verdict")
        about = self.source.one_of(found["about"], "about", tuple(self.variables)) if "about" in found else None
        return Query(self.source.text(found["query"], "query"), verdicts, none, about)

    def _bridge(self, step: str, node: yaml.Node) -> Bridge:
        fields = ("accepted", "nobody")
        found = self.source.mapping(node, f"{step}: hand_over", fields, fields)
        return Bridge(*(self._exit(found[field], f"{step}: {field}") for field in fields))

    def _exit(self, node: yaml.Node, what: str) -> Exit:
        """A target, or {go: target, result: word, everyone: true}."""
        if not isinstance(node, yaml.MappingNode):
            return Exit(self.source.text(node, what), place=place_of(node))
        found = self.source.mapping(node, what, ("go", "result", "everyone"), ("go",))
        return Exit(
            self.source.text(found["go"], what), self._result(found), self._flag(found, "everyone"), place_of(node)
        )

    def _flag(self, found: dict[str, yaml.Node], name: str) -> bool:
        return name in found and self.source.flag(found[name], name)

    def _hang_up(self, node: yaml.Node, name: str) -> Exit:
        """`known` (what is known so far counts), or {result: word}."""
        what = f"{name}: hang_up"
        if isinstance(node, yaml.MappingNode):
            return Exit(
                "", self._result(self.source.mapping(node, what, ("result",), ("result",))), place=place_of(node)
            )
        self.source.one_of(node, what, ("known",))
        return Exit("")

    def _result(self, found: dict[str, yaml.Node]) -> str | None:
        return self.source.one_of(found["result"], "result", sorted(self.results)) if "result" in found else None

    def _choice(self, node: yaml.Node) -> Choice:
        src = self.source
        found = src.mapping(node, "an answer", _ANSWER, ("meaning", "go"))
        meaning = src.text(found["meaning"], "meaning")
        key = src.one_of(found["key"], "key", _KEYS) if "key" in found else None
        return Choice(
            meaning=meaning,
            key=key,
            phrases=self._heard(node, meaning, found),
            exit=self._follows(found),
            unsure=src.text(found["unsure"], "unsure") if "unsure" in found else None,
            forget=self._flag(found, "forget"),
            unsaid=self._flag(found, "unsaid"),
            place=place_of(node),
        )

    def _follows(self, found: dict[str, yaml.Node]) -> Exit:
        """Where the answer leads."""
        go = found["go"]
        return Exit(self.source.text(go, "go"), self._result(found), self._flag(found, "everyone"), place_of(go))

    def _heard(self, node: yaml.Node, meaning: str, found: dict[str, yaml.Node]) -> tuple[str, ...]:
        """The phrases of `hear`, else those that are listed under the meaning, here or in the lexicon."""
        if "hear" not in found:
            if meaning not in self.phrases and "key" not in found:
                self.source.fail(node, f'the answer "{meaning}" has neither a key nor phrases')
            return self.phrases.get(meaning, ())
        names = [self._list(one) for one in self.source.items(found["hear"], "hear")]
        return tuple(dict.fromkeys(phrase for name in names for phrase in self.phrases[name]))

    def _list(self, node: yaml.Node) -> str:
        name = self.source.text(node, "hear")
        if name not in self.phrases:
            hint = wording.meant(name, self.phrases)
            self.source.fail(node, f'hear "{name}" is no list of phrases, neither here nor in the lexicon{hint}')
        return name
