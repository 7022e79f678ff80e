"""Which of sherpa-onnx's models a folder holds, told by its files and by the notes inside its ONNX files.

Nothing is loaded: the result names the factory of `sherpa_onnx` and its arguments, for the child process to call.
Kinds and the names of their files as k2-fsa publishes them (github.com/k2-fsa/sherpa-onnx, releases asr-models);
`model_type` as the export scripts there write it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

Argument = str | int | float | bool
Notes = Mapping[str, str]

NOTE = "wenan.toml"  # beside the weights: what the operator knows better than the files' names say
_HAN = re.compile(r"[\u3400-\u9fff]")
_METADATA_PROPS = 14  # the field of ONNX's ModelProto
_MOST_NOTES = 1 << 20  # bytes of one note (a SenseVoice's means and deviations are 20 kB)


@dataclass(frozen=True)
class Plan:
    """How to load the model: `maker` of OnlineRecognizer (`online`: works while audio comes) or OfflineRecognizer.

    `rate`: the sample rate in Hz that it was trained for. `han`: its units are Chinese characters (else Pinyin or
    Latin letters).
    """

    kind: str
    online: bool
    maker: str
    arguments: Mapping[str, Argument]
    rate: int
    han: bool


@dataclass(frozen=True)
class _Kind:
    """A model in one file: the factory, the name of its argument, and what else it is given."""

    name: str
    maker: str
    argument: str = "model"
    more: tuple[tuple[str, Argument], ...] = ()
    rate: int = 16000


_SENSE_VOICE = _Kind("sense-voice", "from_sense_voice", more=(("language", "zh"), ("use_itn", True)))
_PARAFORMER = _Kind("paraformer", "from_paraformer", argument="paraformer")
_NEMO = _Kind("nemo-ctc", "from_nemo_ctc")
_TDNN = _Kind("tdnn-ctc", "from_tdnn_ctc", rate=8000)

# `model_type` begins with … (the first that fits); where a file has none, the folder's name may hold it instead.
_OFFLINE: tuple[tuple[str, _Kind], ...] = (
    ("wenet", _Kind("wenet-ctc", "from_wenet_ctc")),
    ("sense", _SENSE_VOICE),
    ("paraformer", _PARAFORMER),
    ("zipformer2_ctc", _Kind("zipformer-ctc", "from_zipformer_ctc")),
    ("zipformer-ctc", _Kind("zipformer-ctc", "from_zipformer_ctc")),
    ("EncDec", _NEMO),
    ("nemo", _NEMO),
    ("telespeech", _Kind("telespeech-ctc", "from_telespeech_ctc")),
    ("tdnn", _TDNN),
    ("dolphin", _Kind("dolphin-ctc", "from_dolphin_ctc")),
    ("fire-red", _Kind("fire-red-asr-ctc", "from_fire_red_asr_ctc")),
    ("omnilingual", _Kind("omnilingual-ctc", "from_omnilingual_asr_ctc")),
    ("medasr", _Kind("medasr-ctc", "from_medasr_ctc")),
)
_ONLINE: tuple[tuple[str, _Kind], ...] = (
    ("wenet", _Kind("online-wenet-ctc", "from_wenet_ctc")),
    ("zipformer2", _Kind("online-zipformer-ctc", "from_zipformer2_ctc")),
    ("EncDec", _Kind("online-nemo-ctc", "from_nemo_ctc")),
    ("t-one", _Kind("t-one-ctc", "from_t_one_ctc", rate=8000)),
)
# An encoder and a decoder: by the encoder's `model_type`, or the folder's name.
_PAIRS: tuple[tuple[str, str, str, Mapping[str, Argument]], ...] = (
    ("whisper", "whisper", "from_whisper", {"language": "zh"}),
    ("EncDecMultiTask", "nemo-canary", "from_nemo_canary", {}),
    ("canary", "nemo-canary", "from_nemo_canary", {}),
    ("fire-red", "fire-red-asr", "from_fire_red_asr", {}),
    ("cohere", "cohere-transcribe", "from_cohere_transcribe", {"language": "zh"}),
)
_ONLINE_TYPES = frozenset({"lstm", "ebranchformer", "t-one"})
_ONLINE_NOTES = frozenset({"decode_chunk_len", "left_chunks", "chunk_shift"})


def plan(folder: Path) -> Plan:
    """What the folder holds. RuntimeError, with a sentence, when it is nothing that sherpa-onnx could load."""
    shelf = _Shelf(folder)
    try:
        for look in (_qwen, _nano, _moonshine, _moonshine_2, _transducer, _pair, _single):
            found = look(shelf)
            if found:
                return found
    except (OSError, ValueError) as error:
        raise RuntimeError(f"{folder.name}: {error}") from None
    raise RuntimeError(f"{folder.name} holds no model that sherpa-onnx knows")


def languages(folder: Path, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The languages of the model, best first: by wenan.toml (language = "wuu", or a list), by the catalogue (`known`),
    else by the folder's name. RuntimeError when wenan.toml can't be read."""
    told = _note(folder).get("language")
    if told:
        return tuple(str(one) for one in (told if isinstance(told, list) else [told]))
    return known or _by_name(folder.name)


def _by_name(name: str) -> tuple[str, ...]:
    parts = set(re.split(r"[-_.]", name.lower()))
    if parts & {"wu", "wuu", "shanghai", "shanghainese"}:
        return ("wuu", "zh")
    others = tuple(sorted(parts & {"en", "ja", "ko", "ru", "yue", "cantonese", "th", "vi", "fr", "de", "es"}))
    return ("zh",) if not others or parts & {"zh", "chinese", "multi"} else others


def _note(folder: Path) -> dict[str, object]:
    try:
        return tomllib.loads((folder / NOTE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RuntimeError(f"{folder.name}/{NOTE} can't be read: {error}") from None


class _Shelf:
    """The files of a folder, 8-bit ones before others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = sorted(one.name for one in folder.iterdir() if one.is_file()) if folder.is_dir() else []
        self._models = sorted((one for one in names if one.endswith((".onnx", ".ort"))), key=_eight_bits_first)
        self._tokens = [one for one in names if one.endswith("tokens.txt")]

    def file(self, pattern: str) -> str:
        """The path of the first model whose name fits from its beginning; "" when none does."""
        found = next((one for one in self._models if re.match(pattern, one)), "")
        return str(self.folder / found) if found else ""

    def notes(self, path: str) -> Notes:
        return notes(Path(path)) if path.endswith(".onnx") else {}

    def type_of(self, notes: Notes) -> tuple[str, ...]:
        """What may name the kind: the operator's word, the file's, the folder's name."""
        return (str(_note(self.folder).get("kind", "")), notes.get("model_type", ""), self.folder.name)

    def tokens(self) -> str:
        if not self._tokens:
            raise ValueError("tokens.txt is missing")
        return str(self.folder / self._tokens[0])

    def plan(self, kind: str, maker: str, arguments: Mapping[str, Argument], *, online: bool, rate: int) -> Plan:
        tokens = self.tokens()
        han = bool(_HAN.search(Path(tokens).read_text("utf-8", errors="replace")))
        # Whisper's and others' tokens are bytes in disguise: no character shows, Chinese comes out all the same.
        return Plan(kind, online, maker, {**arguments, "tokens": tokens}, rate, han or kind in _BYTES)

    def folder_with(self, *files: str) -> str:
        inner = [self.folder, *(one for one in sorted(self.folder.iterdir()) if one.is_dir())]
        found = next((one for one in inner if all((one / file).is_file() for file in files)), None)
        return str(found) if found else ""


_BYTES = frozenset({"whisper", "moonshine", "fire-red-asr", "nemo-canary", "cohere-transcribe"})


def _eight_bits_first(name: str) -> tuple[bool, bool, int, str]:
    """Whole-utterance files before streaming ones where a folder holds both, then the shortest name."""
    return ("streaming" in name, ".int8" not in name, len(name), name)


def _qwen(shelf: _Shelf) -> Plan | None:
    front, encoder, decoder = (shelf.file(one) for one in ("conv_frontend", "encoder", "decoder"))
    tokenizer = shelf.folder_with("vocab.json", "merges.txt")
    if not (front and encoder and decoder and tokenizer):
        return None
    arguments = {"conv_frontend": front, "encoder": encoder, "decoder": decoder, "tokenizer": tokenizer}
    return Plan("qwen3-asr", False, "from_qwen3_asr", arguments, 16000, True)


def _nano(shelf: _Shelf) -> Plan | None:
    adaptor, llm, embedding = (shelf.file(one) for one in ("encoder_adaptor", "llm", "embedding"))
    tokenizer = shelf.folder_with("vocab.json", "merges.txt")
    if not (adaptor and llm and embedding and tokenizer):
        return None
    arguments = {"encoder_adaptor": adaptor, "llm": llm, "embedding": embedding, "tokenizer": tokenizer}
    return Plan("funasr-nano", False, "from_funasr_nano", arguments, 16000, True)


def _moonshine(shelf: _Shelf) -> Plan | None:
    names = {
        "preprocessor": "preprocess",
        "encoder": "encode",
        "uncached_decoder": "uncached_decode",
        "cached_decoder": "cached_decode",
    }
    return _parts(shelf, "moonshine", "from_moonshine", {one: shelf.file(name) for one, name in names.items()})


def _moonshine_2(shelf: _Shelf) -> Plan | None:
    files = {"encoder": shelf.file(r"encoder_model.*\.ort"), "decoder": shelf.file(r"decoder_model.*\.ort")}
    return _parts(shelf, "moonshine", "from_moonshine_v2", files)


def _parts(shelf: _Shelf, kind: str, maker: str, files: Mapping[str, str]) -> Plan | None:
    return shelf.plan(kind, maker, files, online=False, rate=16000) if all(files.values()) else None


def _transducer(shelf: _Shelf) -> Plan | None:
    files = {one: shelf.file(rf"(.*-)?{one}") for one in ("encoder", "decoder", "joiner")}
    if not all(files.values()):
        return None
    about = shelf.notes(files["encoder"])
    if _is_online(about):
        return shelf.plan("online-transducer", "from_transducer", files, online=True, rate=16000)
    nemo = about.get("model_type", "").startswith("EncDec")
    arguments: dict[str, Argument] = {**files, "model_type": "nemo_transducer" if nemo else "transducer"}
    return shelf.plan(
        "nemo-transducer" if nemo else "transducer", "from_transducer", arguments, online=False, rate=16000
    )


def _pair(shelf: _Shelf) -> Plan | None:
    encoder, decoder = shelf.file(r"(.*-)?encoder"), shelf.file(r"(.*-)?decoder")
    if not (encoder and decoder):
        return None
    files: dict[str, Argument] = {"encoder": encoder, "decoder": decoder}
    for told in shelf.type_of(shelf.notes(encoder)):
        if told.startswith("paraformer") or "streaming-paraformer" in told:
            return shelf.plan("online-paraformer", "from_paraformer", files, online=True, rate=16000)
        for begin, kind, maker, more in _PAIRS:
            if told and begin in told:
                return shelf.plan(kind, maker, {**files, **more}, online=False, rate=16000)
    raise ValueError("an encoder and a decoder of a kind that isn't known")


def _single(shelf: _Shelf) -> Plan | None:
    path = shelf.file(r"(model|ctc)[-.]") or shelf.file("")
    if not path:
        return None
    about = shelf.notes(path)
    online = _is_online(about)
    for told in shelf.type_of(about):
        for begin, kind in _ONLINE if online else _OFFLINE:
            if told.startswith(begin) or begin in told.replace("-onnx", ""):
                return shelf.plan(kind.name, kind.maker, _arguments(kind, path, about), online=online, rate=kind.rate)
    raise ValueError(f"a model of the kind {about.get('model_type') or 'unknown'!r}, which isn't known")


def _arguments(kind: _Kind, path: str, about: Notes) -> dict[str, Argument]:
    arguments: dict[str, Argument] = {kind.argument: path, **dict(kind.more)}
    if kind.name == "online-wenet-ctc":  # the export froze them
        arguments |= {"chunk_size": int(about["chunk_size"]), "num_left_chunks": int(about["left_chunks"])}
    return arguments


def _is_online(about: Notes) -> bool:
    comment = about.get("comment", "")
    streams = comment.startswith("streaming") or about.get("model_type") in _ONLINE_TYPES
    return streams or bool(about.keys() & _ONLINE_NOTES)


# ── the notes inside an ONNX file ─────────────────────────────────────────────────────────────────


def notes(path: Path) -> dict[str, str]:
    """The ONNX file's metadata_props, without reading its weights. ValueError: this is no ONNX file.

    An ONNX file is one Protocol Buffers message; every field but the notes is stepped over.
    """
    found: dict[str, str] = {}
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while file.tell() < size:
            tag = _varint(file.read)
            length = _length(tag & 7, file)
            if file.tell() + length > size:
                raise ValueError(f"{path.name} is no ONNX file, or not all of it")
            if tag >> 3 == _METADATA_PROPS and tag & 7 == 2 and length <= _MOST_NOTES:
                key, value = _entry(file.read(length))
                found[key] = value
            else:
                file.seek(length, os.SEEK_CUR)
    return found


def _length(wire: int, file: IO[bytes]) -> int:
    """How many bytes the field's value takes from here. A number has been read when this returns."""
    if wire == 0:
        _varint(file.read)
        return 0
    if wire == 2:
        return _varint(file.read)
    if wire in (1, 5):
        return 8 if wire == 1 else 4
    raise ValueError(f"{Path(file.name).name} is no ONNX file")


def _varint(read: Callable[[int], bytes]) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("no ONNX file, or not all of it")


def _entry(data: bytes) -> tuple[str, str]:
    """A StringStringEntryProto: field 1 is the key, field 2 the value."""
    parts = {1: b"", 2: b""}
    at = 0

    def read(count: int) -> bytes:
        nonlocal at
        at += count
        return data[at - count : at]

    while at < len(data):
        tag = _varint(read)
        if tag & 7 != 2:
            raise ValueError("a note of the ONNX file can't be read")
        parts[tag >> 3] = read(_varint(read))
    return parts[1].decode("utf-8", "replace"), parts[2].decode("utf-8", "replace")
