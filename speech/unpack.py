"""A zip file from the network into a folder: nothing outside the folder, no links, no bombs."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from speech.download import CHUNK, SourceError

MAX_RATIO = 20  # unpacked bytes for a packed one; weights hardly shrink at all


def unpack(archive: Path, into: Path) -> None:
    """Unpacks what lies in the archive's only top folder into `into`. Raises SourceError when it isn't a decent zip."""
    limit = archive.stat().st_size * MAX_RATIO
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = [(entry, _inside(entry)) for entry in packed.infolist()]
            if sum(entry.file_size for entry, _ in entries) > limit:
                raise SourceError("the archive would unpack to far more than weights are")
            if len({path.parts[0] for _, path in entries}) != 1:
                raise SourceError("the archive holds more than one folder")
            for entry, path in entries:
                if not entry.is_dir():
                    _write(packed, entry, into.joinpath(*path.parts[1:]), limit)
    except zipfile.BadZipFile:
        raise SourceError("the archive can't be read") from None


def _inside(entry: zipfile.ZipInfo) -> PurePosixPath:
    """The entry's path, if it stays inside the folder."""
    path = PurePosixPath(entry.filename)
    outside = path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename
    if outside or not path.parts or stat.S_ISLNK(entry.external_attr >> 16):
        raise SourceError("the archive holds a path that leads out of its folder")
    return path


def _write(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, limit: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(entry) as member, target.open("wb") as file:
        while chunk := member.read(CHUNK):
            file.write(chunk)
            if file.tell() > limit:
                raise SourceError("the archive would unpack to far more than weights are")
