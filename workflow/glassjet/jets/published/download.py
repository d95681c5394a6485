"""Files of the network, complete and verified, or not at all.

What arrives is written to NAME.part beside the target, and hashed on the way. The target appears only when its size and
checksum are right. An interrupted download, of a killed process too, goes on where it stopped. A failure that may pass
(a connection lost or stalled, a busy server) is tried again after a growing pause; anything else is one line.
"""

import errno
import hashlib
import logging
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tqdm import tqdm

from glassjet import __version__
from glassjet.errors import InputError
from glassjet.files import locked, require_space

BLOCK = 1 << 18  # bytes read at a time, at most
LONGEST = 60.0  # s; the growing pause grows no further
PATIENCE = 900.0  # s; a server that wants a longer pause is not waited for
PROGRESS = 10_000_000  # bytes; after so many more the failures are counted anew
PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that a later try may not get
PARTIAL = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
WEB = ("http", "https")

log = logging.getLogger(__name__)


class _PassingError(Exception):
    """A failure that may pass, how long the server wants to be left alone (s), and whether it was reached at all."""

    def __init__(self, what: object, pause: float = 0.0, reached: bool = True) -> None:
        super().__init__(" ".join(str(what).split()))
        self.pause, self.reached = pause, reached


class _RefusedError(Exception):
    """A failure that stays."""


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirections to http and https only; the base class knows ftp too, and refuses all others."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in WEB:
            raise urllib.error.HTTPError(newurl, code, f"Redirection to url '{newurl}' is not allowed", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Part:
    """The unfinished file and its digest; opening it hashes what is there."""

    def __init__(self, path: Path, checksum: str | None) -> None:
        self.path, self.checksum, self.length = path, checksum, 0
        self.digest = _digest(checksum)
        with on_disk(path):
            self.file = path.open("r+b" if path.exists() else "w+b")
            while block := self.file.read(1 << 20):
                self.digest.update(block)
                self.length += len(block)
        self.pieced = self.length > 0  # not all of it is from one answer of the server

    def append(self, block: bytes) -> None:
        with on_disk(self.path):
            self.file.write(block)
            self.file.flush()  # so that it stays if this process is killed
        self.digest.update(block)
        self.length += len(block)

    def restart(self) -> None:
        with on_disk(self.path):
            self.file.seek(0)
            self.file.truncate()
        self.digest, self.length, self.pieced = _digest(self.checksum), 0, False

    def close(self) -> None:
        with on_disk(self.path):
            os.fsync(self.file.fileno())
            self.file.close()
        if self.length == 0:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Wanted:
    """The arguments of `fetch` that every try needs."""

    url: str
    size: int | None
    checksum: str | None
    timeout: float


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Tell what the disk refuses in one line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(f"{path}: no space left on the disk; free some and run the same command again") from None
        told = f"{error.strerror or error}; choose another folder, or change what is there"
        raise InputError(f"{error.filename or path}: {told}") from None


def _digest(checksum: str | None) -> Any:
    """A fresh hash of the checksum's kind; without a checksum nobody asks for its value."""
    return hashlib.new((checksum or "md5:").split(":")[0], usedforsecurity=False)


def _mismatch(digest: Any, checksum: str) -> str | None:
    kind, published = checksum.split(":")
    found = digest.hexdigest()
    return None if found == published else f"has the {kind} {found}, but {published} is published"


def part_of(target: Path) -> Path:
    """Where a file lies while it is not complete."""
    return target.with_name(f"{target.name}.part")


def wrong(path: Path, size: int | None, checksum: str | None) -> str | None:
    """What is wrong with a file of which this size and checksum are published; None if nothing is."""
    found = path.stat().st_size
    if size is not None and found != size:
        return f"has {found:,} bytes, but {size:,} are published"
    if checksum is None:
        return None if found else "is empty"
    digest = _digest(checksum)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return _mismatch(digest, checksum)


def require_right(path: Path, size: int | None, checksum: str | None) -> None:
    """Refuse a file that is not the published one; it is left as it is."""
    if path.is_dir():
        raise InputError(f"{path}: is a directory, a file is needed; choose another folder")
    if told := wrong(path, size, checksum):
        raise InputError(f"{path}: {told}; it is left as it is: move or remove it, and run the same command again")


def fetch(
    url: str,
    target: Path,
    size: int | None = None,
    checksum: str | None = None,
    *,
    page: str = "",
    retries: int = 5,
    timeout: float = 30.0,
    wait: float = 1.0,
) -> None:
    """Download `url` to `target`, unless the right file is there already.

    Parameters
    ----------
    size, checksum : int or None, str or None
        Bytes, and "md5:…" or "sha256:…", as published. Without a size the server's word is taken.
    page : str
        Where people find the file; told where only they can help.
    retries : int
        Failures in a row that are borne; after each further 10 MB the count starts anew.
    timeout : float
        s without a byte, after which a connection counts as stalled.
    wait : float
        s before the second try; doubled for each further one, up to a minute.

    Raises
    ------
    InputError
        Without a connection; for what the server refuses; for a wrong size or checksum; for a full disk.
    """
    if urlsplit(url).scheme not in WEB:
        raise InputError(f"{url}: only addresses of http and https are followed")
    by_hand = (
        f"download {target.name} ({f'{size:,} bytes' if size is not None else 'size not published'}, "
        f"{checksum or 'no checksum published'}) by hand from {page or url} into {target.parent} "
        "and run the same command again"
    )
    with ExitStack() as stack:
        with on_disk(target.parent):
            stack.enter_context(locked(target))
        if target.exists():  # another process may have brought it while this one waited
            require_right(target, size, checksum)
            return
        part = _Part(part_of(target), checksum)
        try:
            _fill(part, _Wanted(url, size, checksum, timeout), retries, wait, by_hand)
        finally:
            part.close()
        os.replace(part.path, target)


def _fill(part: _Part, wanted: _Wanted, retries: int, wait: float, by_hand: str) -> None:
    """Make the part complete and right; a wrong one is emptied."""
    opener, url = _opener(), wanted.url
    failures, longest, reached, again = 0, part.length, False, False
    if part.length:
        log.info("%s: goes on after %s bytes", part.path, f"{part.length:,}")
    while True:
        try:
            _receive(part, opener, wanted)
        except _RefusedError as refusal:
            raise InputError(f"{url}: {refusal}; {by_hand}") from None
        except _PassingError as trouble:
            reached = reached or trouble.reached
            if not reached:  # there is no network: waiting will not help
                raise InputError(f"{url}: no connection ({trouble}); {by_hand}") from None
            if trouble.pause > PATIENCE:
                later = f"in {trouble.pause:.0f} s, as the server asks, run the same command again"
                raise InputError(f"{url}: {trouble}; {later}") from None
            failures = 1 if part.length - longest >= PROGRESS else failures + 1
            longest = max(longest, part.length)
            if failures > retries:
                kept = f"{part.length:,} bytes are kept in {part.path}, " if part.length else ""
                raise InputError(f"{url}: {trouble}; {kept}run the same command again later") from None
            pause = max(trouble.pause, min(wait * 2 ** (failures - 1), LONGEST))
            log.warning("%s: %s; try %d of %d in %.3g s", url, trouble, failures, retries, pause)
            time.sleep(pause)
            continue
        told = _mismatch(part.digest, wanted.checksum) if wanted.checksum else None
        if told is None:
            if not wanted.checksum:
                log.info("%s: no checksum is published in our table, only the size was checked", url)
            return
        again, pieced = True, part.pieced and not again
        part.restart()
        if not pieced:
            raise InputError(f"{url}: what arrived {told}; it is removed; {by_hand}")
        # Its pieces may be of different files, so once more, in one piece.
        log.warning("%s: put together from pieces, it %s; once more from the start", url, told)


def _opener() -> urllib.request.OpenerDirector:
    """Opens http and https, through the proxies of the environment; none of urllib's other kinds, file among them."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _WebOnly(),
    ):
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", f"glassjet/{__version__}")]
    return opener


def _receive(part: _Part, opener: urllib.request.OpenerDirector, wanted: _Wanted) -> None:
    """One request: the part is complete afterwards, or longer than before and an error raised."""
    if wanted.size is not None and part.length > wanted.size:
        log.warning("%s: is longer than the file; from the start", part.path)
        part.restart()
    if part.length == wanted.size:
        return
    headers = {"Range": f"bytes={part.length}-"} if part.length else {}
    try:
        response = opener.open(urllib.request.Request(wanted.url, headers=headers), timeout=wanted.timeout)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and part.length:
                if wanted.size is None and error.headers.get("Content-Range") == f"bytes */{part.length}":
                    return  # nothing was left to send
                log.warning("%s: the server has no bytes after it; from the start", part.path)
                part.restart()
                return _receive(part, opener, wanted)
            told = f"the server answers {error.code}, {' '.join(str(error.reason).split())}"
            if error.code in PASSING:
                raise _PassingError(told, _pause(error.headers)) from None
            raise _RefusedError(told) from None
    except (OSError, HTTPException, ValueError) as error:
        raise _trouble(error, wanted.timeout) from None
    with response:
        goal = _begin(part, response, wanted)
        if goal is not None:
            require_space(part.path, goal - part.length)
        _copy(part, response, goal, wanted)


def _begin(part: _Part, response: HTTPResponse, wanted: _Wanted) -> int | None:
    """Read an answer's headers, and make the part ready for its bytes; gives the length of the whole file if known."""
    headers = response.headers
    if response.status not in (200, 206):
        raise _RefusedError(f"the server answers {response.status}, {response.reason}")
    if headers.get_content_type() == "text/html":
        raise _RefusedError("the server answers with a web page, not with the file")
    length = headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    if response.status == 206:
        match = PARTIAL.fullmatch(headers.get("Content-Range", ""))
        if match is None or int(match[1]) != part.length:
            part.restart()
            raise _PassingError("the server sends another part than was asked for")
        total = int(match[2]) if match[2] != "*" else None
    if total is not None and wanted.size not in (None, total):
        raise _RefusedError(f"the server has {total:,} bytes, but {wanted.size:,} are published")
    if total is None and wanted.size is None and wanted.checksum is None:
        raise _RefusedError("the server does not say how long the file is, so nobody could tell a part from the whole")
    if response.status == 206:
        part.pieced = part.pieced or part.length > 0
    elif part.length:
        log.warning("%s: the server sends whole files only; from the start", wanted.url)
        part.restart()
    return wanted.size if wanted.size is not None else total


def _copy(part: _Part, response: HTTPResponse, goal: int | None, wanted: _Wanted) -> None:
    """Append what arrives, as soon as it does."""
    name = part.path.name.removesuffix(".part")
    with tqdm(total=goal, initial=part.length, unit="B", unit_scale=True, desc=name, disable=None) as bar:
        while True:
            try:
                block = response.read1(BLOCK)
            except (OSError, HTTPException, ValueError) as error:
                raise _trouble(error, wanted.timeout) from None
            if not block:
                break
            if goal is not None and part.length + len(block) > goal:
                part.restart()
                raise _RefusedError(f"the server sends more than {goal:,} bytes")
            part.append(block)
            bar.update(len(block))
    if goal is not None and part.length < goal:
        raise _PassingError(f"the connection ended after {part.length:,} of {goal:,} bytes")


def _pause(headers: Message) -> float:
    """The pause that a busy server asks for, in s; 0 if it does not."""
    text = headers.get("Retry-After", "").strip()
    try:
        if text.isdecimal():
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _trouble(error: Exception, timeout: float) -> Exception:
    """What a failed connection means. urllib wraps what failed before the server had the request in a URLError."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return _RefusedError(f"the server's certificate is not trusted ({reason.verify_message})")
    what: object = f"no byte in {timeout:g} s" if isinstance(reason, TimeoutError) else reason
    return _PassingError(what or type(reason).__name__, reached=not isinstance(error, urllib.error.URLError))
