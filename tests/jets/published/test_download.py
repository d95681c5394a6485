"""Downloads from a server on this machine that truncates, stalls, lies, refuses and redirects; and the verb."""

import hashlib
import http.server
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glassjet.cli import main as cli
from glassjet.errors import InputError
from glassjet.jets.published import datasets, download
from glassjet.jets.published.download import fetch
from tests.jets.published.test_archives import FILES, below, packed

CONTENT = np.random.default_rng(0).bytes(300_000)
SIZE = len(CONTENT)
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
OTHER = bytes(SIZE)


class Server(http.server.ThreadingHTTPServer):
    """Answers each request by the next of its behaviours, then by `whole`; remembers what was asked for and sent."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.behaviours = CONTENT, list[Behaviour]()
        self.asked: list[str] = []  # the Range of each request, "" without one
        self.sent = 0  # bytes of bodies
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/jets.h5?download=1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests want."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.asked.append(self.headers.get("Range", ""))
        behaviour = self.server.behaviours.pop(0) if self.server.behaviours else whole
        behaviour(self)

    def head(self, status: int, **headers: Any) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def body(self, content: bytes) -> None:
        self.server.sent += len(content)  # first, because the client may be done before this thread goes on
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


Behaviour = Callable[[Handler], None]


def start_of(handler: Handler) -> int:
    asked = handler.headers.get("Range", "bytes=0-")
    return int(asked.removeprefix("bytes=").removesuffix("-"))


def begin(handler: Handler) -> bytes:
    """The header of a right answer; gives the bytes that should follow."""
    content, start = handler.server.content, start_of(handler)
    if start >= len(content) and "Range" in handler.headers:
        handler.head(416, Content_Range=f"bytes */{len(content)}", Content_Length=0)
        return b""
    if "Range" in handler.headers:
        place = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.head(206, Content_Range=place, Content_Length=len(content) - start)
    else:
        handler.head(200, Content_Length=len(content))
    return content[start:]


def whole(handler: Handler) -> None:
    handler.body(begin(handler))


def cut(after: int) -> Behaviour:
    """Closes the connection in the middle of the body."""
    return lambda handler: handler.body(begin(handler)[:after])


def stalled(after: int) -> Behaviour:
    """Sends no more, and keeps the connection."""

    def behave(handler: Handler) -> None:
        handler.body(begin(handler)[:after])
        handler.server.over.wait(20)

    return behave


def silent(handler: Handler) -> None:
    handler.server.over.wait(20)


def gone(handler: Handler) -> None:
    """Closes the connection without an answer."""


def whole_files_only(handler: Handler) -> None:
    del handler.headers["Range"]
    whole(handler)


def other_bytes(handler: Handler) -> None:
    handler.head(200, Content_Length=SIZE)
    handler.body(OTHER)


def chunked(content: bytes, ended: bool = True) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.head(200, Transfer_Encoding="chunked")
        for start in range(0, len(content), 100_000):
            block = content[start : start + 100_000]
            handler.body(b"%x\r\n%s\r\n" % (len(block), block))
        if ended:
            handler.body(b"0\r\n\r\n")

    return behave


def answer(status: int, content: bytes = b"", **headers: Any) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.head(status, **({"Content_Length": len(content)} | headers))
        handler.body(content)

    return behave


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as serving:
        threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
        yield serving
        serving.over.set()
        serving.shutdown()


def get(server: Server, target: Path, size: int | None = SIZE, checksum: str | None = MD5, **more: Any) -> None:
    fetch(server.url, target, size, checksum, **({"timeout": 5.0, "wait": 0.01} | more))


def refusal(server: Server, target: Path, *arguments: Any, **more: Any) -> str:
    """The one line that says why there is no file."""
    with pytest.raises(InputError) as error:
        get(server, target, *arguments, **more)
    assert not target.exists()
    assert not (target.parent / f".{target.name}.lock").exists()
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "to" / "jets.h5"


def alone(target: Path) -> bool:
    """Whether the target is right and nothing else lies beside it."""
    return target.read_bytes() == CONTENT and [path.name for path in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize("size", [SIZE, None])
@pytest.mark.parametrize("checksum", [MD5, SHA256, None])
def test_a_file_arrives_once(server: Server, target: Path, size: int | None, checksum: str | None) -> None:
    get(server, target, size, checksum)
    assert alone(target)
    get(server, target, size, checksum)
    assert server.asked == [""]


INTERRUPTED = {
    "cut at 0": cut(0),
    "cut at 1": cut(1),
    "cut within": cut(100_000),
    "cut before the end": cut(SIZE - 1),
    "closed without an answer": gone,
    "stalled": stalled(70_000),
    "silent": silent,
}


@pytest.mark.parametrize("bad", INTERRUPTED.values(), ids=INTERRUPTED)
def test_an_interrupted_download_goes_on(
    server: Server, target: Path, bad: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    server.behaviours = [bad, bad]
    with caplog.at_level(logging.INFO):
        get(server, target, timeout=1.5)
    assert alone(target)
    assert server.sent == SIZE  # not a byte twice
    assert len(server.asked) == 3 or server.asked == ["", f"bytes={SIZE - 1}-"]
    assert f"{server.url}: " in caplog.text
    assert "try 1 of 5 in 0.01 s" in caplog.text


def test_pauses_grow_and_end(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    server.behaviours = [gone] * 20
    told = refusal(server, target, wait=10, retries=5)
    assert pauses == [10, 20, 40, 60, 60]
    assert "run the same command again later" in told
    assert list(target.parent.iterdir()) == []


def test_what_arrived_is_kept_for_the_next_run(server: Server, target: Path) -> None:
    server.behaviours = [cut(50_000)] * 3
    told = refusal(server, target, retries=2)
    assert f"the connection ended after 150,000 of {SIZE:,} bytes; 150,000 bytes are kept in {target}.part" in told
    get(server, target)
    assert alone(target)
    assert server.asked == ["", "bytes=50000-", "bytes=100000-", "bytes=150000-"]
    assert server.sent == SIZE


def test_progress_is_no_failure_but_going_round_is(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PROGRESS", 40_000)
    server.behaviours = [cut(50_000)] * 5
    get(server, target, retries=1)
    assert alone(target)
    target.unlink()

    def again(after: int) -> Behaviour:  # whole files only, and never all of one
        def behave(handler: Handler) -> None:
            del handler.headers["Range"]
            cut(after)(handler)

        return behave

    server.behaviours, server.asked = [again(100_000), again(50_000)] * 10, []
    refusal(server, target, retries=3)
    assert len(server.asked) == 4  # only the first brought something new


def test_a_server_without_ranges_starts_anew(server: Server, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.behaviours = [cut(100_000), whole_files_only]
    get(server, target)
    assert alone(target)
    assert server.asked == ["", "bytes=100000-"]
    assert "the server sends whole files only; from the start" in caplog.text


def test_another_part_than_asked_for_is_not_appended(server: Server, target: Path) -> None:
    def from_zero(handler: Handler) -> None:
        handler.head(206, Content_Range=f"bytes 0-{SIZE - 1}/{SIZE}", Content_Length=SIZE)
        handler.body(CONTENT)

    server.behaviours = [cut(100_000), from_zero]
    get(server, target, checksum=None)
    assert alone(target)
    assert server.asked == ["", "bytes=100000-", ""]


@pytest.mark.parametrize("size", [SIZE, None])
@pytest.mark.parametrize("left", [CONTENT[:123_456], CONTENT, CONTENT + b"more", b""])
def test_a_part_of_an_earlier_run_is_used(server: Server, target: Path, left: bytes, size: int | None) -> None:
    target.parent.mkdir()
    target.with_name("jets.h5.part").write_bytes(left)
    get(server, target, size)
    assert alone(target)
    sent = {123_456: SIZE - 123_456, SIZE: 0}.get(len(left), SIZE)
    assert server.sent == sent
    if len(left) > SIZE and size:
        assert server.asked == [""]
    if left == CONTENT:
        assert server.asked == ([] if size else [f"bytes={SIZE}-"])


def test_416_without_a_length_starts_anew(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("jets.h5.part").write_bytes(CONTENT[:1000])
    server.behaviours = [answer(416)]
    get(server, target)
    assert alone(target)
    assert server.asked == ["bytes=1000-", ""]


def test_a_wrong_checksum_is_told_and_the_file_removed(server: Server, target: Path) -> None:
    server.behaviours = [other_bytes]
    told = refusal(server, target)
    assert f"what arrived has the md5 {hashlib.md5(OTHER).hexdigest()}, but {MD5[4:]} is published" in told
    assert server.asked == [""]  # it came in one piece: no second try
    assert list(target.parent.iterdir()) == []


def test_pieces_that_do_not_fit_are_fetched_once_more(
    server: Server, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target.parent.mkdir()
    part = target.with_name("jets.h5.part")
    part.write_bytes(OTHER[:1000])
    get(server, target)
    assert alone(target)
    assert server.asked == ["bytes=1000-", ""]
    assert "put together from pieces, it has the md5" in caplog.text
    target.unlink()

    def other_rest(handler: Handler) -> None:
        begin(handler)
        handler.body(OTHER[1000:])

    server.behaviours, server.asked = [cut(1000), other_rest], []
    get(server, target)
    assert alone(target)
    assert server.asked == ["", "bytes=1000-", ""]
    target.unlink()
    part.write_bytes(OTHER[:1000])
    server.behaviours, server.asked = [whole, other_bytes], []
    refusal(server, target)
    assert len(server.asked) == 2
    assert list(target.parent.iterdir()) == []
    part.write_bytes(OTHER[:1000])  # and with the second in pieces too
    server.behaviours, server.asked = [whole, cut(1000), whole], []
    server.content = OTHER
    refusal(server, target)
    assert len(server.asked) == 3


def test_a_server_that_lies_about_the_size(server: Server, target: Path) -> None:
    server.behaviours = [answer(200, CONTENT[:-1])]
    assert f"the server has {SIZE - 1:,} bytes, but {SIZE:,} are published" in refusal(server, target)
    server.behaviours = [cut(1000), answer(206, b"x", Content_Range="bytes 1000-1999/2000")]
    assert f"the server has 2,000 bytes, but {SIZE:,} are published" in refusal(server, target)
    assert target.with_name("jets.h5.part").stat().st_size == 1000  # it may still be of use
    get(server, target)
    assert alone(target)
    target.unlink()
    server.behaviours = [answer(200, CONTENT, Content_Length=SIZE + 5), whole]  # it says more than it sends
    get(server, target, None)
    assert alone(target)


def test_answers_without_a_length(server: Server, target: Path) -> None:
    server.behaviours = [chunked(CONTENT)]
    get(server, target, None)
    assert alone(target)
    target.unlink()
    server.behaviours = [chunked(CONTENT + b"more")]
    assert f"the server sends more than {SIZE:,} bytes" in refusal(server, target)
    server.behaviours = [chunked(CONTENT[:-1])]
    get(server, target)
    assert alone(target)
    target.unlink()
    server.behaviours = [chunked(CONTENT, ended=False)]
    get(server, target, None)
    assert alone(target)
    target.unlink()
    server.behaviours = [chunked(CONTENT)]
    assert "does not say how long the file is" in refusal(server, target, None, None)


def test_a_web_page_is_no_file_and_costs_nothing(server: Server, target: Path) -> None:
    page = answer(200, b"<html>log in", Content_Type="text/html; charset=utf-8")
    server.behaviours = [cut(1000), page]
    assert "the server answers with a web page, not with the file" in refusal(server, target, None, None)
    get(server, target)
    assert alone(target)
    assert server.sent == SIZE + len(b"<html>log in")


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451, 501])
def test_what_the_server_refuses_is_not_asked_twice(server: Server, target: Path, status: int) -> None:
    server.behaviours = [answer(status)]
    told = refusal(server, target, page="https://example.org/record")
    assert f"the server answers {status}, " in told
    by_hand = f"download jets.h5 (300,000 bytes, {MD5}) by hand from https://example.org/record into {target.parent}"
    assert by_hand in told
    assert len(server.asked) == 1
    assert list(target.parent.iterdir()) == []


def test_a_busy_server_is_left_alone_as_long_as_it_wants(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    answers = [(503, "7"), (429, soon), (503, past), (503, "soon")]
    server.behaviours = [answer(status, Retry_After=text) for status, text in answers] + [answer(502)]
    get(server, target, wait=1)
    assert alone(target)
    assert pauses == [7, pytest.approx(38, abs=3), 4, 8, 16]
    target.unlink()
    server.behaviours, pauses[:] = [answer(503, Retry_After=5000)], []
    assert "503, Service Unavailable; in 5000 s, as the server asks, run the same command again" in refusal(
        server, target
    )
    assert pauses == []


def test_redirections_are_followed_on_the_web_only(server: Server, target: Path, tmp_path: Path) -> None:
    moved = server.url.replace("/jets", "/moved/jets")
    server.behaviours = [cut(1000), answer(302, Location=moved), answer(307, Location="/elsewhere")]
    get(server, target)
    assert alone(target)
    assert server.asked == ["", *["bytes=1000-"] * 3]
    target.unlink()
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    for place in (secret.as_uri(), "ftp://127.0.0.1/jets.h5", "data:,jets"):
        server.behaviours = [answer(302, Location=place)]
        told = refusal(server, target)
        assert "Redirection to url" in told
        assert place in told
    server.behaviours = [answer(302, Location=server.url)] * 50
    assert "infinite loop" in refusal(server, target)
    assert len(server.behaviours) > 30
    server.behaviours = [answer(302, Location=f"http://{'a' * 70}.invalid/")] * 9
    refusal(server, target, retries=1)
    with pytest.raises(InputError, match="only addresses of http and https"):
        fetch(secret.as_uri(), target)
    assert not target.exists()


def test_a_certificate_that_nobody_trusts(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"

    def untrusted(*any_: Any, **more: Any) -> socket.socket:
        raise error

    monkeypatch.setattr(socket, "create_connection", untrusted)
    assert "the server's certificate is not trusted (self-signed certificate)" in refusal(server, target)


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_without_a_network_the_way_by_hand_is_told_at_once(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda s: pytest.fail("waiting does not help"))
    for host in ("no-such-host.invalid", f"127.0.0.1:{closed_port()}"):
        with pytest.raises(InputError) as error:
            fetch(f"http://{host}/jets.h5", target, None, None, page="https://example.org/record")
        told = str(error.value)
        assert told.startswith(f"http://{host}/jets.h5: no connection (")
        assert (
            "download jets.h5 (size not published, no checksum published) by hand from https://example.org/record "
            f"into {target.parent} and run the same command again" in told
        )
        assert list(target.parent.iterdir()) == []


def test_a_network_that_went_away_may_come_back(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.behaviours = [cut(1000)]
    connect, calls = socket.create_connection, []

    def away(address: Any, *more: Any, **most: Any) -> socket.socket:
        calls.append(address)
        if len(calls) == 2:
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return connect(address, *more, **most)

    monkeypatch.setattr(socket, "create_connection", away)
    get(server, target)
    assert alone(target)
    assert len(calls) == 3


def test_another_file_in_the_place_is_left_as_it_is(server: Server, target: Path) -> None:
    target.parent.mkdir()
    for content, told in ((b"mine", "has 4 bytes, but 300,000 are published"), (OTHER, "has the md5")):
        target.write_bytes(content)
        with pytest.raises(InputError, match=f"{told}.*left as it is: move or remove it"):
            get(server, target)
        assert target.read_bytes() == content
    target.write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        get(server, target, None, None)
    target.unlink()
    target.mkdir()
    with pytest.raises(InputError, match="is a directory"):
        get(server, target)
    assert server.asked == []


def test_folders_that_cannot_be_are_one_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"(Not a directory|File exists); choose another folder"):
        get(server, tmp_path / "file" / "jets.h5")
    (tmp_path / "jets.h5.part").mkdir()
    with pytest.raises(InputError, match=r"jets.h5.part: Is a directory; choose another folder"):
        get(server, tmp_path / "jets.h5")
    assert server.asked == []


def test_a_full_disk_is_seen_before_and_within(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = []

    def full(path: Path, bytes_: int) -> None:
        needed.append(bytes_)
        raise InputError(f"{path}: no space left on the disk")

    with monkeypatch.context() as patched:
        patched.setattr(download, "require_space", full)
        server.behaviours = [whole]
        refusal(server, target)
        target.with_name("jets.h5.part").write_bytes(CONTENT[:1000])
        refusal(server, target, None)
    assert needed == [SIZE, SIZE - 1000]
    write = download._Part.append

    def no_more(part: download._Part, block: bytes) -> None:
        if part.length + len(block) < 100_000:
            return write(part, block)
        with download.on_disk(part.path):
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(download._Part, "append", no_more)
    assert "no space left on the disk; free some" in refusal(server, target)


def test_two_processes_share_a_target(server: Server, target: Path) -> None:
    def slow(handler: Handler) -> None:
        content = begin(handler)
        handler.body(content[:1000])
        time.sleep(0.6)
        handler.body(content[1000:])

    server.behaviours = [slow, slow]
    code = (
        "import sys, pathlib; from glassjet.jets.published.download import fetch;"
        f"fetch({server.url!r}, pathlib.Path(sys.argv[1]), {SIZE}, {MD5!r})"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(target)], env=environment()) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert alone(target)
    assert server.asked == [""]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[3] / "workflow")}


def test_a_killed_download_goes_on(server: Server, target: Path) -> None:
    server.behaviours = [stalled(1_000)]  # less than what files keep in memory before they write
    code = (
        "import sys, pathlib; from glassjet.jets.published.download import fetch;"
        f"fetch({server.url!r}, pathlib.Path(sys.argv[1]), {SIZE}, {MD5!r})"
    )
    part = target.with_name("jets.h5.part")
    with subprocess.Popen([sys.executable, "-c", code, str(target)], env=environment()) as worker:
        deadline = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size == 1_000):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        worker.send_signal(signal.SIGKILL)
    assert worker.returncode == -signal.SIGKILL
    assert not target.exists()
    get(server, target)
    assert alone(target)
    assert server.asked == ["", "bytes=1000-"]
    assert server.sent == SIZE


def test_proxies_of_the_environment_are_used(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    fetch("http://jets.invalid/jets.h5", target, SIZE, MD5)
    assert alone(target)


# The verb, with a table of its own.


@pytest.fixture
def verb(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `glassjet download …` in an empty folder; the table's files lie on the server, an archive among them."""
    base = server.url.rsplit("/", 1)[0]
    files = (
        datasets.File("jets.h5", f"{base}/jets.h5", SIZE, MD5, "train"),
        datasets.File("more.h5", f"{base}/more.h5", None, None, "test"),
    )
    known = datasets.DataSet("some", "Some jets", "", "https://example.org/1", "CC0", "doi:1", "top_reference", files)
    monkeypatch.setattr(datasets, "DATASETS", {"some": known, "packed": replace(known, name="packed", files=())})
    monkeypatch.setitem(cli.VERBS, "download", "download published jets")
    monkeypatch.delenv("GLASSJET_DATA", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda *words: cli.main(["download", *words])


def test_the_verb_brings_and_then_keeps(
    server: Server, verb: Callable[..., int], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert verb("some") == 0
    assert sorted(below(Path("data/some"))) == ["jets.h5", "more.h5"]
    assert "no checksum is published in our table, only the size was checked" in caplog.text
    told = capsys.readouterr().out
    assert "Some jets: licence CC0; cite doi:1" in told
    assert "data/some/jets.h5: size and checksum as published" in told
    assert verb("some") == 0
    assert "data/some/jets.h5: already there, size and checksum as published" in capsys.readouterr().out
    assert len(server.asked) == 2
    Path("data/some/jets.h5").write_bytes(OTHER)
    assert verb("some") == 2
    error = capsys.readouterr().err
    assert "data/some/jets.h5: has the md5" in error
    assert error.count("\n") == 1
    assert Path("data/some/jets.h5").read_bytes() == OTHER
    assert len(server.asked) == 2


def test_the_verb_puts_files_where_it_is_told(verb: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert verb("some", "--files", "jets.h5", "--to", "my/jets") == 0
    assert sorted(below(Path("."))) == ["my/jets/jets.h5"]
    monkeypatch.setenv("GLASSJET_DATA", "store")
    assert verb("some", "--files", "test") == 0
    assert sorted(below(Path("."))) == ["my/jets/jets.h5", "store/some/more.h5"]


def test_the_verb_unpacks(
    server: Server, verb: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = packed(tmp_path / "val_5M.tar.gz")
    server.content = archive.read_bytes()
    md5 = f"md5:{hashlib.md5(server.content).hexdigest()}"
    file = datasets.File("val_5M.tar.gz", server.url, None, md5, "validation", "jets")
    datasets.DATASETS["packed"] = replace(datasets.DATASETS["packed"], files=(file,))
    assert verb("packed", "--unpack", "HToBB_*") == 0
    assert sorted(below(Path("data/packed"))) == ["val_5M.tar.gz", "val_5M/val_5M/HToBB_120.root"]
    assert "data/packed/val_5M: 1 files unpacked" in capsys.readouterr().out
    assert verb("packed", "--unpack") == 0
    assert below(Path("data/packed/val_5M")) == FILES
    assert len(server.asked) == 1
    assert verb("some", "--unpack") == 2
    assert "--unpack: some has no archives" in capsys.readouterr().err


def test_the_verb_lists(verb: Callable[..., int], server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    datasets.DATASETS.pop("packed")
    assert verb("--list") == 0
    assert capsys.readouterr().out == datasets.table() + "\n"
    assert verb("some", "--list") == 0
    assert MD5 in capsys.readouterr().out
    assert server.asked == []
    assert not Path("data").exists()


def test_bad_words_are_one_line(verb: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    for words, told in (
        ((), "the name of a data set is needed"),
        (("sone",), "no data set 'sone' (did you mean 'some'?)"),
        (("some", "--files", "jet.h5"), "no file of some 'jet.h5' (did you mean 'jets.h5'"),
    ):
        assert verb(*words) == 2
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1
    Path("data").write_text("x")
    assert verb("some") == 2
    assert "choose another folder" in capsys.readouterr().err


def test_space_is_needed_for_what_is_missing(
    verb: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = []

    def full(path: Path, bytes_: int) -> None:
        needed.append(bytes_)
        raise InputError(f"{path}: no space left on the disk")

    monkeypatch.setattr("glassjet.files.require_space", full)
    assert verb("some") == 2
    Path("data/some/jets.h5.part").write_bytes(CONTENT[:1000])
    assert verb("some") == 2
    assert needed == [SIZE, SIZE - 1000]
    assert capsys.readouterr().err.count("no space left on the disk\n") == 2


def test_without_a_network_the_verb_ends_in_one_line(
    verb: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    of = datasets.DATASETS["some"]
    lost = tuple(replace(file, url=f"http://no-such-host.invalid/{file.name}") for file in of.files)
    datasets.DATASETS["some"] = replace(of, files=lost)
    assert verb("some") == 2
    error = capsys.readouterr().err
    assert error.startswith("glassjet download: http://no-such-host.invalid/jets.h5: no connection (")
    assert "by hand from https://example.org/1 into data/some and run the same command again" in error
    assert error.count("\n") == 1
    Path("data/some/jets.h5").write_bytes(CONTENT)  # by hand
    assert verb("some", "--files", "jets.h5") == 0


def test_help_is_light() -> None:
    code = "import sys, glassjet.cli.download; print(*[n for n in ('numpy', 'h5py', 'tqdm') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.split() == []
