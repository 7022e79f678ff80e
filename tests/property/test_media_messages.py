"""Whatever comes over the WebSocket, the reader answers with a message, nothing, or a ProtocolError."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ivr.media_messages import Media, ProtocolError, Start, StreamReader
from tests.unit.media.test_media_messages import media, start, text

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)
names = ["event", "streamSid", "sequenceNumber", "media", "start", "dtmf", "mark", "stop", "payload", "track"]
odd_messages = st.dictionaries(
    st.sampled_from(names), json_values | st.sampled_from(["media", "start", "dtmf", "mark", "stop", "MZ1"]), max_size=8
)


@given(
    st.lists(odd_messages.map(lambda m: orjson.dumps(m).decode()) | st.text(max_size=200), max_size=8), st.booleans()
)
def test_nothing_but_a_protocol_error_comes_of_garbage(said: list[str], started: bool) -> None:
    reader = StreamReader()
    if started:
        reader.read(start())
    for each in said:
        try:
            reader.read(each)
        except ProtocolError:
            return


@given(st.lists(st.tuples(st.integers(2, 60), st.binary(min_size=1, max_size=320)), max_size=60))
def test_frames_are_read_in_the_order_of_their_numbers_and_once(sent: list[tuple[int, bytes]]) -> None:
    reader = StreamReader()
    assert isinstance(reader.read(start()), Start)
    taken, last = [], 1
    for number, audio in sent:
        message = reader.read(media(number, audio))
        assert (message is None) == (number <= last)
        if message is not None:
            assert message == Media(audio)
            taken.append(number)
            last = number
    assert taken == sorted(set(taken))


@given(st.text(alphabet="0123456789*#ABCD", min_size=1, max_size=1))
def test_every_key_of_a_telephone_is_read(digit: str) -> None:
    reader = StreamReader()
    reader.read(start())
    assert reader.read(text("dtmf", 2, dtmf={"digit": digit})) is not None
