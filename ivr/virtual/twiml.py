"""TwiML documents as verb values, checked against an allow-list of what Twilio documents for each verb.

TwiML has no official schema. Twilio itself warns (12200) and goes on; this carrier is stricter and refuses, so that
a wrong attribute shows at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

_CALLBACK = {"action", "method"}
_ATTRIBUTES: dict[str, set[str]] = {
    "Response": set(),
    "Connect": _CALLBACK,
    "Stream": {"url", "name", "track", "statusCallback", "statusCallbackMethod"},
    "Parameter": {"name", "value"},
    "Redirect": {"method"},
    "Gather": _CALLBACK
    | {"input", "numDigits", "timeout", "finishOnKey", "actionOnEmptyResult", "language", "speechTimeout"},
    "Play": {"loop", "digits"},
    "Say": {"voice", "language", "loop"},
    "Pause": {"length"},
    "Record": _CALLBACK
    | {
        "timeout",
        "finishOnKey",
        "maxLength",
        "playBeep",
        "trim",
        "transcribe",
        "recordingStatusCallback",
        "recordingStatusCallbackMethod",
        "recordingStatusCallbackEvent",
    },
    "Hangup": set(),
    "Reject": {"reason"},
    "Dial": _CALLBACK | {"timeout", "callerId", "timeLimit", "hangupOnStar", "record", "answerOnBridge", "ringTone"},
    "Number": {"url", "method", "statusCallback", "statusCallbackEvent", "statusCallbackMethod"},
}
_TOP = {"Connect", "Redirect", "Gather", "Play", "Say", "Pause", "Record", "Hangup", "Reject", "Dial"}
_CHILDREN = {
    "Response": _TOP,
    "Connect": {"Stream"},
    "Stream": {"Parameter"},
    "Gather": {"Play", "Say", "Pause"},
    "Dial": {"Number"},
}
_NEEDS = {"Stream": {"url"}, "Parameter": {"name", "value"}}
_MAX_BYTES = 64 * 1024  # Twilio's limit for a document


class TwimlError(ValueError):
    """The document is not TwiML that Twilio would run. `code` is Twilio's error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Verb:
    """One element: `name`, attributes as written, trimmed `text`, nested elements."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple[Verb, ...] = ()

    def get(self, attribute: str, default: str = "") -> str:
        return self.attributes.get(attribute, default)

    def number(self, attribute: str, default: float) -> float:
        """A numeric attribute; TwimlError when it is no number."""
        try:
            return float(self.get(attribute) or default)
        except ValueError as error:
            raise TwimlError(12200, f"<{self.name} {attribute}> is not a number") from error


def parse(body: bytes, content_type: str = "text/xml") -> tuple[Verb, ...]:
    """The verbs of a <Response>; TwimlError for anything that Twilio would not run."""
    if content_type.partition(";")[0].strip().lower() not in {"text/xml", "application/xml", "text/html"}:
        raise TwimlError(12300, f"content type {content_type!r} is not XML")
    if len(body) > _MAX_BYTES:
        raise TwimlError(12100, f"document of {len(body)} bytes is over the limit of {_MAX_BYTES}")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise TwimlError(12100, "document type declarations are not allowed")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise TwimlError(12100, f"not well-formed: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12102, f"root element is <{root.tag}>, not <Response>")
    return _verb(root).children


def _verb(element: ElementTree.Element) -> Verb:
    name = element.tag
    unknown = set(element.attrib) - _ATTRIBUTES[name]
    if unknown:
        raise TwimlError(12200, f"<{name}> does not take {', '.join(sorted(unknown))}")
    missing = _NEEDS.get(name, set()) - set(element.attrib)
    if missing:
        raise TwimlError(12200, f"<{name}> lacks {', '.join(sorted(missing))}")
    for child in element:
        if child.tag not in _CHILDREN.get(name, set()):
            raise TwimlError(12200, f"<{child.tag}> is not allowed in <{name}>")
    children = tuple(_verb(child) for child in element)
    return Verb(name, dict(element.attrib), (element.text or "").strip(), children)
