"""How elders answer, as data: what they say, what it means, how it sounds. A bottom room: it imports nothing of ours.

A linguist edits `answers.tsv`, `meanings.tsv`, `confusable.tsv` and `everyday.tsv` (docs/flows.md, "The words");
everything else here reads them and says what is wrong with them.
"""

from lexicon.book import Lexicon, Reading, load
from lexicon.sheets import LexiconError

__all__ = ["Lexicon", "LexiconError", "Reading", "load"]
