"""What a call came to for one person: the words, which of them is stronger, and the finding at any moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# A flow's words for what a call came to, the weakest first. A weaker word never replaces a stronger one, so
# that "not well" survives a goodbye; what it met is kept under `also`.
STRENGTH = (
    "hung_up",
    "machine",
    "silent",
    "absent",
    "present_unconfirmed",
    "other_says_well",
    "well",
    "wants_person",
    "other_says_unwell",
    "not_well",
    "refused",
    "wrong_number",
    "emergency",
)
RESULTS = frozenset(STRENGTH)
# Good news: only from a key or from speech that is certain.
GOOD = frozenset({"well", "other_says_well"})
# Worth telling beside a stronger word.
_NEWS = frozenset(STRENGTH[STRENGTH.index("other_says_well") :])
# Words that any sign of life turns into "present, unconfirmed".
_WITHOUT_LIFE = (None, "silent", "hung_up")


@dataclass(frozen=True)
class Finding:
    """`evidence`: key, speech or none. `detail` is personal: text, phrase, confidence, engine, certain (of the
    deciding utterance), recording, message_text, message_recording, alarm, also …"""

    person: str
    result: str
    evidence: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """One person's part of the call so far. `sign`: how they last gave a sign of life ("key", "speech", "")."""

    result: str | None = None
    evidence: str = "none"
    decided: Mapping[str, Any] = field(default_factory=dict)  # the deciding key or utterance
    kept: Mapping[str, Any] = field(default_factory=dict)  # recordings, alarm
    also: tuple[str, ...] = ()
    sign: str = ""

    def with_result(self, result: str, last: Mapping[str, Any]) -> Standing:
        """`last`: the key or utterance that decided, with "by" naming which (empty: none did)."""
        decided = dict(last)
        evidence = str(decided.pop("by", "none"))
        if self.result is None:
            return replace(self, result=result, evidence=evidence, decided=decided)
        if STRENGTH.index(result) <= STRENGTH.index(self.result):
            also = self.also if result == self.result else _and(self.also, result)
            return replace(self, also=also)
        return replace(self, result=result, evidence=evidence, decided=decided, also=_and(self.also, self.result))

    def keeping(self, details: Mapping[str, Any]) -> Standing:
        return replace(self, kept={**self.kept, **details})

    def finding(self, person: str, last: Mapping[str, Any]) -> Finding:
        """What counts if the line dropped now."""
        if self.result in _WITHOUT_LIFE and self.sign:
            detail = {key: value for key, value in last.items() if key != "by"}
            return Finding(person, "present_unconfirmed", self.sign, {**self.kept, **detail})
        also = {"also": list(self.also)} if self.also else {}
        return Finding(person, self.result or "hung_up", self.evidence, {**self.kept, **self.decided, **also})


def _and(also: tuple[str, ...], result: str) -> tuple[str, ...]:
    return also if result in also or result not in _NEWS else (*also, result)
