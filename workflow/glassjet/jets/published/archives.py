"""Archives that others packed (tar, tar.gz, zip): regular files only, inside their folder, complete or not at all.

The whole archive is looked through before a byte is written. Its files are unpacked beside the folder, and moved into
it by one rename each when all of them are there; so a file that is in the folder is complete.
"""

import gzip
import lzma
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any

from tqdm import tqdm

from glassjet.errors import InputError, existing, unknown
from glassjet.files import locked, require_space
from glassjet.jets.published.download import on_disk

BLOCK = 1 << 20  # bytes copied at a time
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
END = bytes(512)  # the block that closes a tar file
DAMAGE = (  # what the readers raise for bytes that make no sense
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
)


@dataclass(frozen=True)
class _Member:
    """What an archive holds: a name, its bytes when unpacked, what it is ("file", "folder", or else), and a handle."""

    name: str
    size: int
    kind: str
    handle: Any


class _Tar:
    """A tar file, compressed with gzip or not."""

    def __init__(self, archive: Path, compressed: bool) -> None:
        self.raw: Any = gzip.GzipFile(archive) if compressed else archive.open("rb")
        self.last = b""  # what was read last: at the end the block that closes the archive
        this: Any = self  # tarfile needs no more of a file than read, seek and tell
        try:
            self.tar = tarfile.TarFile(fileobj=this)
        except BaseException:
            self.raw.close()
            raise

    def read(self, size: int) -> bytes:
        self.last = self.raw.read(size)
        return self.last

    def seek(self, place: int) -> None:
        self.raw.seek(place)

    def tell(self) -> int:
        return int(self.raw.tell())

    def members(self) -> list[_Member]:
        found = []
        for info in self.tar:
            kind = "file" if info.isreg() and not info.issparse() else "a device, or another thing that is no file"
            if info.isdir():
                kind = "folder"
            elif info.issym() or info.islnk():
                kind = f"a link to {info.linkname!r}"
            if info.size < 0:  # tarfile would go back for the next one, for ever
                raise tarfile.ReadError("a negative size")
            found.append(_Member(info.name, info.size, kind, info))
        if self.last != END:  # tarfile takes a cut between two files for the end
            raise tarfile.ReadError("the end is missing")
        while self.raw.read(BLOCK):  # gzip checks its sum at the end
            pass
        return found

    def opened(self, member: _Member, folder: Path) -> IO[bytes]:
        if hasattr(tarfile, "data_filter"):  # since Python 3.11.4; a second opinion on the name
            tarfile.data_filter(member.handle, str(folder))
        file = self.tar.extractfile(member.handle)
        assert file is not None  # it is for regular files
        return file

    def close(self) -> None:
        self.raw.close()


class _Zip:
    """A zip file."""

    def __init__(self, archive: Path) -> None:
        self.zip = zipfile.ZipFile(archive)

    def members(self) -> list[_Member]:
        found = []
        for info in self.zip.infolist():
            mode = stat.S_IFMT(info.external_attr >> 16)
            kind = "an encrypted file" if info.flag_bits & 1 else "file"
            if info.is_dir():
                kind = "folder"
            elif mode == stat.S_IFLNK:
                kind = "a link"
            elif mode not in (0, stat.S_IFREG):
                kind = "a device, or another thing that is no file"
            found.append(_Member(info.orig_filename, info.file_size, kind, info))
        return found

    def opened(self, member: _Member, folder: Path) -> IO[bytes]:
        return self.zip.open(member.handle)

    def close(self) -> None:
        self.zip.close()


def _opened(archive: Path) -> _Tar | _Zip:
    with existing(archive).open("rb") as file:
        start = file.read(4)
    return _Zip(archive) if start in ZIP else _Tar(archive, start.startswith(GZIP))


def _places(archive: Path, members: list[_Member], patterns: list[str] | None) -> dict[PurePosixPath, _Member]:
    """Where each wanted file goes, relative to the folder. One bad member spoils the whole archive."""
    files: dict[PurePosixPath, _Member] = {}
    for member in members:
        path = PurePosixPath(member.name)
        odd = "\\" in member.name or any(ord(letter) < 32 for letter in member.name)
        if path.is_absolute() or ".." in path.parts or odd or (member.kind == "file" and not path.parts):
            told = f"holds {member.name!r}, which is no name of a file inside the folder"
            raise InputError(f"{archive}: {told}; do not trust this archive")
        if member.kind not in ("file", "folder"):
            raise InputError(f"{archive}: holds {member.name!r}, {member.kind}; only plain files are unpacked")
        if path in files:
            raise InputError(f"{archive}: holds {member.name!r} twice; which one is meant cannot be known")
        if member.kind == "file":
            files[path] = member
    folders = {parent for path in files for parent in path.parents}
    if both := folders & files.keys():
        raise InputError(f"{archive}: holds {str(both.pop())!r} both as a file and as a folder; it cannot be unpacked")
    if not files:
        raise InputError(f"{archive}: holds no files")
    if patterns is None:
        return files
    wanted = set()
    for pattern in patterns:
        found = {path for path in files if fnmatchcase(str(path), pattern) or fnmatchcase(path.name, pattern)}
        if not found:
            raise unknown(f"member of {archive}", pattern, map(str, files))
        wanted |= found
    return {path: member for path, member in files.items() if path in wanted}


def _missing(folder: Path, places: dict[PurePosixPath, _Member]) -> dict[PurePosixPath, _Member]:
    """Those that the folder has not; another file in their place is refused."""
    missing = {}
    for path, member in places.items():
        target = folder / path
        if not target.exists():
            missing[path] = member
        elif target.is_dir() or target.stat().st_size != member.size:
            told = "is not what the archive holds, and left as it is"
            raise InputError(f"{target}: {told}; move or remove it, and run the same command again")
    return missing


def _copy(source: IO[bytes], target: Path, size: int, bar: Any) -> None:
    """Exactly `size` bytes, whatever the source would give."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("xb") as file:
        left = size
        while left > 0:
            block = source.read(min(left, BLOCK))
            if not block:
                raise EOFError("unexpected end of data")
            file.write(block)
            left -= len(block)
            bar.update(len(block))


def unpack(archive: Path, folder: Path, members: Iterable[str] | None = None) -> list[Path]:
    """Unpack an archive into a folder; a file that is there with the right size is kept.

    Parameters
    ----------
    members : iterable of str or None
        Names, or patterns such as HToBB_*.root, of whole paths in the archive or of their last part; all without it.

    Returns
    -------
    list of Path
        The files, in the order of the archive, those that were there too.

    Raises
    ------
    InputError
        If the archive is damaged or truncated, holds what is no plain file or leads out of the folder, or lacks a
        member; if another file is in a file's place; if the disk is full. The folder is then as it was.
    """
    home = folder.resolve()
    patterns = None if members is None else list(members)
    with on_disk(folder), locked(home), _room(home) as room:
        try:
            with closing(_opened(archive)) as source:
                places = _places(archive, source.members(), patterns)
                missing = _missing(home, places)
                require_space(room, sum(member.size for member in missing.values()))
                with tqdm(unit="B", unit_scale=True, desc=archive.name, disable=None) as bar:
                    for path, member in missing.items():
                        _copy(source.opened(member, room), room / path, member.size, bar)
        except DAMAGE as error:
            raise _damaged(archive, error) from None
        except OSError as error:
            if error.errno is None:  # gzip's and bz2's word for damage
                raise _damaged(archive, error) from None
            raise
        for path in missing:
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(room / path, home / path)
    return [folder / path for path in places]


@contextmanager
def _room(home: Path) -> Iterator[Path]:
    """A folder beside the folder, for a while; `locked` removes what a killed run left of it."""
    room = home.with_name(f".{home.name}.{os.getpid()}.tmp")
    room.mkdir()
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _damaged(archive: Path, error: Exception) -> InputError:
    told = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{archive}: not a tar, tar.gz or zip archive, or cut or damaged ({told}); download it again")
