"""What must hold of the lexicon's tables. Every fault becomes a problem with its line; nothing is raised here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from lexicon import romanisation
from lexicon.negation import shortened
from lexicon.sheets import Problems, Row

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_STANCES = {"+": "good news or consent", "-": "the opposite", "": "neither"}
_CHECKED = re.compile(r"table|dictionary|unchecked|native \S.*")
_LEVELS = ("1", "2")
_EVERYTHING = "*"  # as `against`: its phrases mean nothing else


def check(
    kinds: Sequence[Row], said: Sequence[Row], pairs: Sequence[Row], often: Sequence[Row], problems: Problems
) -> None:
    """Adds to `problems` what is wrong."""
    _meanings(kinds, problems)
    names = {row["meaning"] for row in kinds}
    for row in said:
        for fault in _faults(row, names):
            problems.add("answers.tsv", row.line, fault)
    _doubled(said, problems)
    known = [row for row in said if row["meaning"] in names]
    _contradictions(kinds, known, problems)
    _pairs(pairs, known, problems)
    _negations(kinds, known, pairs, problems)
    _everyday(often, {row["phrase"] for row in known}, problems)


def _meanings(kinds: Sequence[Row], problems: Problems) -> None:
    names = [row["meaning"] for row in kinds]
    for at, row in enumerate(kinds):
        name = row["meaning"]
        if not _NAME.fullmatch(name):
            problems.add("meanings.tsv", row.line, f'"{name}" can\'t be a meaning: small letters, digits and _')
        if name in names[:at]:
            problems.add("meanings.tsv", row.line, f'"{name}" stands twice; keep one')
        if row["stance"] not in _STANCES:
            problems.add("meanings.tsv", row.line, f'the stance "{row["stance"]}" must be +, - or empty')
        for other in filter(None, (row["part_of"], *row["against"].split())):
            if other not in names and other != _EVERYTHING:
                problems.add("meanings.tsv", row.line, f'"{name}" names "{other}", which is no meaning')
    for row in kinds:
        if row["part_of"] and any(other["part_of"] for other in kinds if other["meaning"] == row["part_of"]):
            problems.add("meanings.tsv", row.line, f'"{row["part_of"]}" is a part itself; parts have no parts')


def _faults(row: Row, names: set[str]) -> list[str]:
    """What is wrong with one way to say something."""
    found = []
    if row["meaning"] not in names:
        found.append(f'the meaning "{row["meaning"]}" is not in meanings.tsv; add it there, or mend the name')
    phrase, language = row["phrase"], row["language"]
    if not phrase or not all(_is_han(char) for char in phrase):
        found.append(f'the phrase "{phrase}" must consist of Chinese characters only; spell numbers and marks out')
    if not _CHECKED.fullmatch(row["checked"]):
        found.append(f'checked "{row["checked"]}" must be table, dictionary, unchecked or native NAME')
    if language not in romanisation.LANGUAGES:
        found.append(f'the language "{language}" must be one of {", ".join(romanisation.LANGUAGES)}')
    elif row["romanisation"] or language != "zh":
        fault = romanisation.fault(language, phrase, row["romanisation"])
        found += [fault] if fault else []
    return found


def _is_han(char: str) -> bool:
    return unicodedata.name(char, "").startswith("CJK UNIFIED IDEOGRAPH")


def _doubled(said: Sequence[Row], problems: Problems) -> None:
    seen: dict[tuple[str, ...], int] = {}
    for row in said:
        key = (row["meaning"], row["phrase"], row["language"], row["romanisation"])
        if key in seen:
            problems.add("answers.tsv", row.line, f'the same as line {seen[key]} ("{row["phrase"]}"); keep one')
        seen.setdefault(key, row.line)


def _contradictions(kinds: Sequence[Row], said: Sequence[Row], problems: Problems) -> None:
    """The same phrase under two meanings that exclude each other."""
    up = {row["meaning"]: {row["meaning"], row["part_of"]} - {""} for row in kinds}
    against = {row["meaning"]: set(row["against"].split()) for row in kinds}
    seen: dict[str, dict[str, int]] = {}
    for row in said:
        mine = seen.setdefault(row["phrase"], {})
        for other, line in mine.items():
            if other != row["meaning"] and _exclude(up[row["meaning"]], up[other], against):
                fault = f'"{row["phrase"]}" can\'t mean both {other} (line {line}) and {row["meaning"]}; keep one'
                problems.add("answers.tsv", row.line, fault)
        mine.setdefault(row["meaning"], row.line)


def _exclude(one: set[str], other: set[str], against: Mapping[str, set[str]]) -> bool:
    """Whether any of `one` (a meaning and what it is a part of) is against any of `other`."""
    if one & other:
        return False
    ones, others = ({word for name in side for word in against.get(name, ())} for side in (one, other))
    return bool(ones & other or others & one or _EVERYTHING in ones | others)


def _pairs(pairs: Sequence[Row], said: Sequence[Row], problems: Problems) -> None:
    phrases = {row["phrase"] for row in said}
    seen: dict[frozenset[str], int] = {}
    for row in pairs:
        pair = frozenset((row["phrase"], row["other"]))
        for phrase in sorted(pair - phrases):
            problems.add("confusable.tsv", row.line, f'"{phrase}" is not in answers.tsv; add it there, or take it out')
        if len(pair) == 1:
            problems.add("confusable.tsv", row.line, f'"{row["phrase"]}" is paired with itself; take it out')
        if pair in seen:
            problems.add("confusable.tsv", row.line, f"the same pair as in line {seen[pair]}; keep one")
        seen.setdefault(pair, row.line)


def _negations(kinds: Sequence[Row], said: Sequence[Row], pairs: Sequence[Row], problems: Problems) -> None:
    """Whatever becomes good news when a negation is swallowed must be a listed pair. One syllable never counts without
    a confirmation, so it needs no listing."""
    positive = {row["meaning"] for row in kinds if row["stance"] == "+"}
    good = {row["phrase"] for row in said if row["meaning"] in positive}
    listed = {frozenset((row["phrase"], row["other"])) for row in pairs}
    for phrase, line in {row["phrase"]: row.line for row in reversed(said) if row["phrase"] not in good}.items():
        for left in sorted(shortened(phrase) & good):
            if len(left) > 1 and frozenset((phrase, left)) not in listed:
                fault = f'"{phrase}" without its negation is "{left}", which is good news'
                problems.add("answers.tsv", line, f"{fault}; list the two in confusable.tsv")


def _everyday(often: Sequence[Row], phrases: set[str], problems: Problems) -> None:
    """What is expected more than others, its negation is, too: else 不对 would be heard as 对."""
    level: dict[str, str] = {}
    for row in often:
        phrase = row["phrase"]
        if phrase not in phrases:
            problems.add("everyday.tsv", row.line, f'"{phrase}" is not in answers.tsv; add it there, or take it out')
        if phrase in level:
            problems.add("everyday.tsv", row.line, f'"{phrase}" stands twice; keep one')
        if row["level"] not in _LEVELS:
            problems.add("everyday.tsv", row.line, f'the level "{row["level"]}" must be 1 or 2')
        level.setdefault(phrase, row["level"])
    for row in often:
        negated = {f"{word}{row['phrase']}" for word in ("不", "勿")} & phrases
        for other in sorted(other for other in negated if level.get(other) != row["level"]):
            fault = f'"{row["phrase"]}" has the level {row["level"]}, "{other}" must have the same'
            problems.add("everyday.tsv", row.line, fault)
