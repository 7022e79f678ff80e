"""Twilio's REST for voice calls as the virtual carrier serves it: calls and recordings, basic auth, form bodies."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import wav
from .interpreter import Goto
from .phone import PhoneKind
from .resource import Orders, Resource, rest_form

if TYPE_CHECKING:
    from .carrier import Recording, VirtualCarrier

PREFIX = "/2010-04-01/Accounts"
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_KNOWN_FIELDS = {
    "To", "From", "Url", "Method", "FallbackUrl", "FallbackMethod", "StatusCallback", "StatusCallbackMethod",
    "StatusCallbackEvent", "Timeout", "MachineDetection", "MachineDetectionTimeout", "AsyncAmd",
    "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod", "TimeLimit", "Record", "Trim", "CallerId",
}  # fmt: skip
_EVENTS = {"initiated", "ringing", "answered", "completed"}


class RestError(Exception):
    """An answer with Twilio's error document."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def rest_app(carrier: VirtualCarrier) -> Starlette:
    """The ASGI application of one carrier."""
    rest = _Rest(carrier)
    account = f"{PREFIX}/{{account}}"
    routes = [
        Route(f"{account}/Calls.json", rest.create, methods=["POST"]),
        Route(f"{account}/Calls.json", rest.listing, methods=["GET"]),
        Route(f"{account}/Calls/{{sid}}.json", rest.fetch, methods=["GET"]),
        Route(f"{account}/Calls/{{sid}}.json", rest.update, methods=["POST"]),
        Route(f"{account}/Calls/{{sid}}/Recordings.json", rest.recordings, methods=["GET"]),
        Route(f"{account}/Recordings.json", rest.recordings, methods=["GET"]),
        Route(f"{account}/Recordings/{{sid}}.json", rest.recording, methods=["GET"]),
        Route(f"{account}/Recordings/{{sid}}.json", rest.forget, methods=["DELETE"]),
        Route(f"{account}/Recordings/{{sid}}.wav", rest.sound, methods=["GET"]),
        Route(f"{account}/Recordings/{{sid}}", rest.sound, methods=["GET"]),
        Route(f"{account}/Recordings/{{sid}}", rest.forget, methods=["DELETE"]),
    ]
    return Starlette(routes=routes, exception_handlers={RestError: _error_document})


async def _error_document(request: Request, error: Exception) -> Response:
    assert isinstance(error, RestError)
    document = {
        "code": error.code,
        "message": str(error),
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
    return JSONResponse(document, status_code=error.status)


class _Rest:
    def __init__(self, carrier: VirtualCarrier) -> None:
        self._carrier = carrier

    async def create(self, request: Request) -> Response:
        self._authorise(request)
        orders = read_orders(await request.form())
        phone = self._carrier.directory(orders.to)
        if phone.kind is PhoneKind.BAD_NUMBER:
            raise RestError(400, 21211, "Invalid 'To' Phone Number")
        return self._show(self._carrier.dial(orders, phone), 201)

    async def listing(self, request: Request) -> Response:
        self._authorise(request)
        found = [call.resource for call in self._carrier.calls.values() if _wanted(call.resource, request.query_params)]
        found.reverse()  # newest first
        return self._page(request, "calls", [rest_form(resource, self._prefix) for resource in found])

    async def fetch(self, request: Request) -> Response:
        self._authorise(request)
        return self._show(self._resource(request), 200)

    async def update(self, request: Request) -> Response:
        self._authorise(request)
        resource = self._resource(request)
        form = await request.form()
        call = self._carrier.calls[resource.sid]
        if call.over:
            raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
        status, url = str(form.get("Status", "")), str(form.get("Url", ""))
        if status in ("completed", "canceled"):
            call.end()
        elif url:
            call.interpreter.jump = Goto(url, str(form.get("Method", "POST")))
        else:
            raise RestError(400, 20001, "Nothing to update")
        return self._show(resource, 200)

    async def recordings(self, request: Request) -> Response:
        self._authorise(request)
        call = request.path_params.get("sid")
        found = [r for r in self._carrier.recordings.values() if call in (None, r.call_sid)]
        return self._page(request, "recordings", [self._recording_form(r) for r in found])

    async def recording(self, request: Request) -> Response:
        self._authorise(request)
        return JSONResponse(self._recording_form(self._recording(request)))

    async def sound(self, request: Request) -> Response:
        self._authorise(request)
        return Response(wav.write(self._recording(request).audio), media_type="audio/x-wav")

    async def forget(self, request: Request) -> Response:
        self._authorise(request)
        del self._carrier.recordings[self._recording(request).sid]
        return Response(status_code=204)

    @property
    def _prefix(self) -> str:
        return f"{PREFIX}/{self._carrier.account_sid}"

    def _authorise(self, request: Request) -> None:
        expected = f"{self._carrier.account_sid}:{self._carrier.auth_token}"
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            clear = base64.b64decode(given, validate=True)
        except binascii.Error:
            clear = b""
        if scheme.lower() != "basic" or not hmac.compare_digest(clear, expected.encode()):
            raise RestError(401, 20003, "Authenticate")
        if request.path_params["account"] != self._carrier.account_sid:
            raise RestError(404, 20404, "The requested resource was not found")

    def _resource(self, request: Request) -> Resource:
        call = self._carrier.calls.get(request.path_params["sid"])
        if call is None:
            raise RestError(404, 20404, "The requested resource was not found")
        return call.resource

    def _recording(self, request: Request) -> Recording:
        sid = request.path_params["sid"].partition(".")[0]
        recording = self._carrier.recordings.get(sid)
        if recording is None:
            raise RestError(404, 20404, "The requested resource was not found")
        return recording

    def _show(self, resource: Resource, status: int) -> Response:
        return JSONResponse(rest_form(resource, self._prefix), status_code=status)

    def _recording_form(self, recording: Recording) -> Mapping[str, object]:
        return {
            "sid": recording.sid,
            "account_sid": self._carrier.account_sid,
            "call_sid": recording.call_sid,
            "duration": str(round(len(recording.audio) / 8000)),
            "channels": 1,
            "status": "completed",
            "source": "RecordVerb",
            "date_created": format_datetime(recording.created),
            "uri": f"{self._prefix}/Recordings/{recording.sid}.json",
            "media_url": self._carrier.recording_url(recording.sid),
        }

    def _page(self, request: Request, name: str, items: list[Mapping[str, object]]) -> Response:
        query = request.query_params
        size, page = min(1000, int(query.get("PageSize", 50))), int(query.get("Page", 0))
        more = {**query, "PageSize": str(size), "Page": str(page + 1)}
        following = f"{request.url.path}?{urlencode(more)}" if (page + 1) * size < len(items) else None
        document = {
            name: items[page * size : (page + 1) * size],
            "first_page_uri": f"{request.url.path}?{urlencode({**query, 'PageSize': str(size), 'Page': '0'})}",
            "next_page_uri": following,
            "previous_page_uri": None,
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": max(0, min(len(items), (page + 1) * size) - 1),
            "uri": f"{request.url.path}?{query}",
        }
        return JSONResponse(document)


def read_orders(form: FormData) -> Orders:
    """The fields of POST Calls.json; RestError with Twilio's code for what it would refuse."""
    unknown = sorted(set(form) - _KNOWN_FIELDS)
    if unknown:
        raise RestError(400, 20001, f"Unknown parameters {', '.join(unknown)}")
    to, sender = str(form.get("To", "")), str(form.get("From", ""))
    if not to:
        raise RestError(400, 21201, "No 'To' number is specified")
    if not _E164.fullmatch(to):
        raise RestError(400, 21211, "Invalid 'To' Phone Number")
    if not _E164.fullmatch(sender):
        raise RestError(400, 21212 if sender else 21213, "'From' number is missing or invalid")
    url = str(form.get("Url", ""))
    if not url.startswith(("http://", "https://")):
        raise RestError(400, 21205, "Url is missing or not a valid URL")
    events = frozenset(str(each) for each in form.getlist("StatusCallbackEvent"))
    if events - _EVENTS:
        raise RestError(400, 21626, f"Invalid StatusCallbackEvents {', '.join(sorted(events - _EVENTS))}")
    asynchronous = str(form.get("AsyncAmd", "false")).lower() == "true"
    return Orders(
        to=to,
        from_=sender,
        url=url,
        method=str(form.get("Method", "POST")),
        fallback_url=str(form.get("FallbackUrl", "")),
        status_callback=str(form.get("StatusCallback", "")),
        events=events or frozenset({"completed"}),
        ring_s=_ring_time(str(form.get("Timeout", "60"))),
        detect_machine=str(form.get("MachineDetection", "")),
        amd_callback=str(form.get("AsyncAmdStatusCallback", "")) if asynchronous else "",
    )


def _ring_time(text: str) -> float:
    if not text.isdecimal() or not 0 < int(text) <= 600:
        raise RestError(400, 20001, "Timeout must be 1 to 600 s")
    return float(text)


def _wanted(resource: Resource, query: QueryParams) -> bool:
    """The filters To, From, Status, StartTime, StartTime>, StartTime< (the URL reads `StartTime>=…`: at or after).

    A call counts by its creation until it was dialled.
    """
    equal = {"To": resource.orders.to, "From": resource.orders.from_, "Status": resource.status}
    if any(key in query and query[key] != value for key, value in equal.items()):
        return False
    begun = resource.started or resource.created
    if "StartTime>" in query and begun < _moment(query["StartTime>"]):
        return False
    if "StartTime<" in query and begun > _moment(query["StartTime<"]):
        return False
    return "StartTime" not in query or begun.date() == _moment(query["StartTime"]).date()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RestError(400, 20001, f"{text!r} is not a date") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
