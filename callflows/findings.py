"""What a call came to for one person: the words, which of them is stronger, and the finding at any moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

# The check-in's words for what a call came to, the weakest first; other flows bring words of their own. A weaker word
# never replaces a stronger one, so that "not well" survives a goodbye; what it met is kept under `also`.
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
EMERGENCY = "emergency"  # the strongest word of every flow
RESULTS = frozenset(STRENGTH)
# Good news: only from a key or from speech that is certain.
GOOD = frozenset({"well", "other_says_well"})
# Only from a key: what sends a person on the way, or ends a case, must not come from an ear.
KEY_ONLY = frozenset({"accepted", "fine_seen", "fine_heard", "visited_fine", "phoned_fine"})
# Not worth telling beside a stronger word.
_NO_NEWS = frozenset(
    {"hung_up", "machine", "silent", "absent", "present_unconfirmed", "not_reached", "no_reply", "not_logged"}
)
PRESENT = "present_unconfirmed"
# Words that any sign of life turns into PRESENT, in flows that know that word.
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

    def with_result(self, result: str, last: Mapping[str, Any], words: Sequence[str] = STRENGTH) -> Standing:
        """`last`: the key or utterance that decided, with "by" naming which (empty: none did). `words`: the flow's,
        the weakest first."""
        decided = dict(last)
        evidence = str(decided.pop("by", "none"))
        if self.result is None:
            return replace(self, result=result, evidence=evidence, decided=decided)
        if words.index(result) <= words.index(self.result):
            also = self.also if result == self.result else _and(self.also, result)
            return replace(self, also=also)
        return replace(self, result=result, evidence=evidence, decided=decided, also=_and(self.also, self.result))

    def taken_back(self) -> Standing:
        """The person says that it was a mistake: as if nothing were known, but what it was stays on record."""
        if self.result is None or self.result == EMERGENCY:
            return self
        kept = {**self.kept, "taken_back": [*self.kept.get("taken_back", []), self.result]}
        return Standing(kept=kept, sign=self.sign)

    def keeping(self, details: Mapping[str, Any]) -> Standing:
        return replace(self, kept={**self.kept, **details})

    def finding(self, person: str, last: Mapping[str, Any], words: Sequence[str] = STRENGTH) -> Finding:
        """What counts if the line dropped now: while nothing is known, the weakest of the flow's `words`."""
        if self.result in _WITHOUT_LIFE and self.sign and PRESENT in words:
            detail = {key: value for key, value in last.items() if key != "by"}
            return Finding(person, PRESENT, self.sign, {**self.kept, **detail})
        also = {"also": list(self.also)} if self.also else {}
        return Finding(person, self.result or words[0], self.evidence, {**self.kept, **self.decided, **also})


def _and(also: tuple[str, ...], result: str) -> tuple[str, ...]:
    return also if result in also or result in _NO_NEWS else (*also, result)
