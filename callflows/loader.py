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
from callflows import checks, wording
from callflows.findings import RESULTS
from callflows.flow import (
    CONDITIONS,
    NAME,
    REPEAT,
    Choice,
    Dictation,
    Exit,
    Flow,
    Piece,
    Prompt,
    Step,
    Variable,
)
from callflows.source import FlowError, Source, line_of

__all__ = ["FlowError", "load", "shipped", "shipped_names"]

_FLOWS = Path(__file__).parent / "flows"
_TOP_OPTIONAL = ("distress", "variables", "phrases", "anytime", "goodbye")
_TOP = ("flow", "version", "languages", "start", "acknowledge", "moments", "steps", *_TOP_OPTIONAL)
MOMENTS = ("emergency", "machine", "limit", "emergency_limit", "keys_only", "next_person")
_PROMPTS = ("say", "again", "again2")
_EXITS = ("go", "no_input", "no_match", "any_key", "any_speech", "else", "too_often")
_WAITING = ("no_input", "hang_up")
_STEP = (*_PROMPTS, *_EXITS, "answers", "anytime", "seconds", "dictate", "hang_up", "only_if", "at_most")
_ANSWER = ("key", "meaning", "hear", "go", "result", "unsure", "everyone")
_KEYS = "0123456789*#"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_STEP_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
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
        self.phrases = {**self.words, **self._phrases(top.get("phrases"))}
        self.anytime = tuple(self._choice(node) for node in self._items(top, "anytime"))
        acknowledge = self._prompt("acknowledge", top["acknowledge"], {})
        steps = {name: self._step(name, node) for name, node in src.mapping(top["steps"], "steps").items()}
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
            if not _NAME.fullmatch(name) or name == NAME or name in CONDITIONS:
                self.source.fail(one, f'"{name}" can\'t be a variable: small letters, and none of the built-in names')
            fields = self.source.mapping(one, f"variable {name}", ("about", "default"), ("about",))
            default = self.source.text(fields["default"], "default") if "default" in fields else None
            found[name] = Variable(self.source.text(fields["about"], "about"), default)
        return found

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
            line=src.named_at(node),
            prompts=self._prompts(name, found),
            choices=tuple(self._choice(one) for one in self._items(found, "answers")),
            anytime=self._offered(name, found) if waits else (),
            any_key=optional.get("any_key"),
            any_speech=optional.get("any_speech"),
            seconds=src.number(found["seconds"], "seconds", 3, 60) if "seconds" in found else 8.0,
            dictation=self._dictation(found["dictate"]) if "dictate" in found else None,
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
        listens = "answers" in found or "any_key" in found or "any_speech" in found or "no_match" in found
        if listens and "dictate" in found:
            self.source.fail(node, f"step {name} can't listen for answers and take a dictation at once: make two steps")
        waiting = listens or "dictate" in found or "no_input" in found or "hang_up" in found
        needed: list[str] = [*_WAITING, "go" if "dictate" in found else "no_match"] if waiting else ["go"]
        if listens and "go" in found:
            self.source.fail(found["go"], f'step {name} waits for an answer, so "go" belongs to the answers')
        for field in needed:
            if field not in found:
                why = "waits, so it must say what follows on" if waiting else "must say what follows:"
                self.source.fail(node, f'step {name} {why} "{field}"')
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
        return meanings

    def _dictation(self, node: yaml.Node) -> Dictation:
        found = self.source.mapping(node, "dictate", ("keep_as", "max_seconds"), ("keep_as",))
        seconds = self.source.number(found["max_seconds"], "max_seconds", 5, 600) if "max_seconds" in found else 180.0
        return Dictation(self.source.text(found["keep_as"], "keep_as"), seconds)

    def _exit(self, node: yaml.Node, what: str) -> Exit:
        """A target, or {go: target, result: word}."""
        if not isinstance(node, yaml.MappingNode):
            return Exit(self.source.text(node, what), line=line_of(node))
        found = self.source.mapping(node, what, ("go", "result"), ("go",))
        return Exit(self.source.text(found["go"], what), self._result(found), line_of(node))

    def _hang_up(self, node: yaml.Node, name: str) -> Exit:
        """`known` (what is known so far counts), or {result: word}."""
        what = f"{name}: hang_up"
        if isinstance(node, yaml.MappingNode):
            return Exit("", self._result(self.source.mapping(node, what, ("result",), ("result",))), line_of(node))
        self.source.one_of(node, what, ("known",))
        return Exit("")

    def _result(self, found: dict[str, yaml.Node]) -> str | None:
        return self.source.one_of(found["result"], "result", sorted(RESULTS)) if "result" in found else None

    def _choice(self, node: yaml.Node) -> Choice:
        src = self.source
        found = src.mapping(node, "an answer", _ANSWER, ("meaning", "go"))
        meaning = src.text(found["meaning"], "meaning")
        key = src.one_of(found["key"], "key", _KEYS) if "key" in found else None
        return Choice(
            meaning=meaning,
            key=key,
            phrases=self._heard(node, meaning, found),
            exit=Exit(src.text(found["go"], "go"), self._result(found), line_of(found["go"])),
            unsure=src.text(found["unsure"], "unsure") if "unsure" in found else None,
            everyone=src.flag(found["everyone"], "everyone") if "everyone" in found else False,
            line=line_of(node),
        )

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

    # ── prompts ──────────────────────────────────────────────────────────────────────────────────

    def _prompts(self, step: str, found: dict[str, yaml.Node]) -> tuple[Prompt, ...]:
        if "again2" in found and "again" not in found:
            self.source.fail(found["again2"], f'step {step} has "again2" without "again"')
        base = step.removesuffix(".ask")
        marks = {"say": step, "again": f"{base}.again", "again2": f"{base}.again2"}
        return tuple(self._prompt(marks[field], found[field], found) for field in _PROMPTS if field in found)

    def _prompt(self, mark: str, node: yaml.Node, step: dict[str, yaml.Node]) -> Prompt:
        """A text (when the flow has one language), or language: text for each of them."""
        src = self.source
        if isinstance(node, yaml.ScalarNode):
            if len(self.languages) > 1:
                src.fail(node, f"the prompt {mark} needs a text for each of {', '.join(self.languages)}: {{zh: …, …}}")
            return Prompt(mark, {self.languages[0]: self._pieces(mark, node, step)})
        texts = src.mapping(node, f"the prompt {mark}", self.languages)
        for language in self.languages:
            if language not in texts:
                src.fail(node, f'the prompt {mark} is missing in the language "{language}", which the flow claims')
        return Prompt(mark, {language: self._pieces(mark, one, step) for language, one in texts.items()})

    def _pieces(self, mark: str, node: yaml.Node, step: dict[str, yaml.Node]) -> tuple[Piece, ...]:
        text = self.source.text(node, f"the prompt {mark}")
        pieces: list[Piece] = []
        for at, part in enumerate(_VARIABLE.split(text)):
            if at % 2:
                self._check_variable(mark, part, node, step)
                pieces.append(Piece(part, variable=True))
            elif "{" in part or "}" in part:
                self.source.fail(node, f"the prompt {mark} has a brace without its partner")
            elif part.strip():
                pieces.append(Piece(part.strip()))
        return tuple(pieces)

    def _check_variable(self, mark: str, name: str, node: yaml.Node, step: dict[str, yaml.Node]) -> None:
        if name == NAME:
            return
        if name not in self.variables:
            known = ", ".join([NAME, *self.variables])
            self.source.fail(node, f"the prompt {mark} says {{{name}}}, an unknown variable (known: {known})")
        guard = step.get("only_if")
        guarded = isinstance(guard, yaml.ScalarNode) and guard.value == name
        if self.variables[name].default is None and not guarded:
            self.source.fail(node, f'the prompt {mark} says {{{name}}}, which may be missing: add "only_if: {name}"')
