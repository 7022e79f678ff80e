"""An archive (zip, tar.bz2) from the network into a folder: nothing outside the folder, no links, no bombs."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import IO

from speech.download import CHUNK, SourceError

MAX_RATIO = 20  # unpacked bytes for a packed one; weights hardly shrink at all
MAX_ENTRIES = 10_000
_BZIP2 = b"BZh"
_TOO_MUCH = "the archive would unpack to far more than weights are"
_OUTSIDE = "the archive holds a path that leads out of its folder"
_FOLDERS = "the archive holds more than one folder"
_RUBBISH = "the archive can't be read"


def unpack(archive: Path, into: Path, only: Collection[str] = ()) -> None:
    """Unpacks what lies in the archive's only top folder into `into`. Raises SourceError when it isn't decent.

    `only`: the files to keep, as paths below the top folder; none: all.
    """
    with archive.open("rb") as file:
        tar = file.read(len(_BZIP2)) == _BZIP2
    limit = archive.stat().st_size * MAX_RATIO
    if tar:
        _untar(archive, into, only, limit)
    else:
        _unzip(archive, into, only, limit)


def _unzip(archive: Path, into: Path, only: Collection[str], limit: int) -> None:
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = [(entry, _inside(entry.filename)) for entry in packed.infolist()]
            if any(stat.S_ISLNK(entry.external_attr >> 16) for entry, _ in entries):
                raise SourceError(_OUTSIDE)
            if sum(entry.file_size for entry, _ in entries) > limit or len(entries) > MAX_ENTRIES:
                raise SourceError(_TOO_MUCH)
            if len({path.parts[0] for _, path in entries}) != 1:
                raise SourceError(_FOLDERS)
            for entry, path in entries:
                if not entry.is_dir() and _wanted(path, only):
                    with packed.open(entry) as member:
                        _write(member, into.joinpath(*path.parts[1:]), limit)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):  # encrypted, or packed in a way unknown here
        raise SourceError(_RUBBISH) from None


def _untar(archive: Path, into: Path, only: Collection[str], limit: int) -> None:
    """Read once from front to back, for going back in bzip2 costs all of it again. Owners and modes are ignored."""
    folders: set[str] = set()
    total = count = 0
    try:
        with tarfile.open(archive, "r|bz2") as packed:
            for entry in packed:
                path = _inside(entry.name)
                if not (entry.isreg() or entry.isdir()):  # links, devices, pipes
                    raise SourceError(_OUTSIDE)
                folders.add(path.parts[0])
                total, count = total + entry.size, count + 1
                if total > limit or count > MAX_ENTRIES:
                    raise SourceError(_TOO_MUCH)
                if len(folders) != 1:
                    raise SourceError(_FOLDERS)
                member = packed.extractfile(entry) if entry.isreg() and _wanted(path, only) else None
                if member:
                    _write(member, into.joinpath(*path.parts[1:]), limit)
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's, not the archive's
        raise SourceError(_RUBBISH) from None
    if not folders:
        raise SourceError(_RUBBISH)


def _inside(name: str) -> PurePosixPath:
    """The entry's path, if it stays inside the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise SourceError(_OUTSIDE)
    return path


def _wanted(path: PurePosixPath, only: Collection[str]) -> bool:
    inner = "/".join(path.parts[1:])
    return bool(inner) and (not only or inner in only)


def _write(member: IO[bytes], target: Path, limit: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while chunk := member.read(CHUNK):
            file.write(chunk)
            if file.tell() > limit:
                raise SourceError(_TOO_MUCH)
