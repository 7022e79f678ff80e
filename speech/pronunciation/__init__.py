"""From a phrase in Chinese characters to what the acoustic model may hear when somebody says it."""

from speech.pronunciation.compose import pronunciations
from speech.pronunciation.slots import Pronunciation, Slot

__all__ = ["Pronunciation", "Slot", "pronunciations"]
