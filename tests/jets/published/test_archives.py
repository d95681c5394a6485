"""Unpacking: what is in the archive and nothing else, where it belongs, all of it or nothing."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glassjet.errors import InputError
from glassjet.jets.published import archives
from glassjet.jets.published.archives import unpack

FILES = {
    "val_5M/HToBB_120.root": np.random.default_rng(1).bytes(70_001),
    "val_5M/HToCC_120.root": np.random.default_rng(2).bytes(5 * 512),  # ends where a block does
    "val_5M/deep/empty.txt": b"",
    "read me.txt": b"text\n" * 9000,
}
KINDS = ("tar", "tar.gz", "zip")
Entry = tuple[tarfile.TarInfo, bytes]


def packed(path: Path, files: dict[str, bytes] = FILES) -> Path:
    """An archive of the kind that its name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    return tarred(path, [(info_of(name, content), content) for name, content in files.items()])


def info_of(name: str, content: bytes = b"", **attributes: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def tarred(path: Path, entries: list[Entry]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return path


def below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(archive: Path, folder: Path, members: list[str] | None = None) -> str:
    """The one line that says why nothing was unpacked."""
    before = below(folder.parent)
    with pytest.raises(InputError) as error:
        unpack(archive, folder, members)
    assert below(folder.parent) == before
    assert list(folder.parent.glob(".*")) == []
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_files_come_out_as_they_went_in(tmp_path: Path, kind: str) -> None:
    archive, folder = packed(tmp_path / f"a.{kind}"), tmp_path / "to" / "a"
    assert unpack(archive, folder) == [folder / name for name in FILES]
    assert below(folder) == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["a"]


@pytest.mark.parametrize("kind", KINDS)
def test_named_members_only(tmp_path: Path, kind: str) -> None:
    archive, folder = packed(tmp_path / f"a.{kind}"), tmp_path / "to" / "a"
    found = unpack(archive, folder, ["HTo*_120.root", "read me.txt"])
    assert [str(path.relative_to(folder)) for path in found] == [name for name in FILES if name[-9:] != "empty.txt"]
    assert below(folder) == {name: FILES[name] for name in FILES if name[-9:] != "empty.txt"}
    assert len(unpack(archive, folder, ["val_5M/deep/*"])) == 1
    assert below(folder) == FILES
    told = refusal(archive, folder, ["HToBB_121.root"])
    assert f"no member of {archive} 'HToBB_121.root'" in told


def test_what_is_there_is_kept_and_never_overwritten(tmp_path: Path) -> None:
    archive, folder = packed(tmp_path / "a.tar"), tmp_path / "to" / "a"
    unpack(archive, folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    (folder / "mine.txt").write_text("mine")
    (folder / "val_5M" / "HToCC_120.root").unlink()
    unpack(archive, folder)
    assert below(folder) == FILES | {"mine.txt": b"mine"}
    kept = folder / "val_5M" / "HToBB_120.root"
    assert kept.stat().st_mtime_ns == times[kept]
    kept.write_bytes(b"other")
    assert f"{kept}: is not what the archive holds" in refusal(archive, folder)
    kept.unlink()
    kept.mkdir()
    assert f"{kept}: is not what the archive holds" in refusal(archive, folder)


BAD: dict[str, Callable[[Path], list[Entry]]] = {
    "an absolute path": lambda out: [(info_of(str(out / "bad"), b"x"), b"x")],
    "two points": lambda out: [(info_of("a/../../bad", b"x"), b"x")],
    "two points that stay inside": lambda out: [(info_of("a/../b", b"x"), b"x")],
    "a folder outside": lambda out: [(info_of("../bad", type=tarfile.DIRTYPE), b"")],
    "a backslash": lambda out: [(info_of("..\\bad", b"x"), b"x")],
    "a line in a name": lambda out: [(info_of("a\nb", b"x"), b"x")],
    "no name": lambda out: [(info_of(".", b"x"), b"x")],
    "a symbolic link": lambda out: [(info_of("link", type=tarfile.SYMTYPE, linkname=str(out)), b"")],
    "a file through a link": lambda out: [
        (info_of("link", type=tarfile.SYMTYPE, linkname=str(out)), b""),
        (info_of("link/bad", b"x"), b"x"),
    ],
    "a hard link": lambda out: [(info_of("link", type=tarfile.LNKTYPE, linkname=str(out / "secret")), b"")],
    "a device": lambda out: [(info_of("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3), b"")],
    "a pipe": lambda out: [(info_of("pipe", type=tarfile.FIFOTYPE), b"")],
    "a name twice": lambda out: [(info_of("a/b", b"x"), b"x"), (info_of("a/./b", b"y"), b"y")],
    "a file as a folder": lambda out: [(info_of("a", b"x"), b"x"), (info_of("a/b", b"y"), b"y")],
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_a_malicious_tar_is_refused_whole(tmp_path: Path, what: str, kind: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "secret").write_text("secret")
    good = (info_of("good.root", b"good"), b"good")
    archive = tarred(tmp_path / f"a.{kind}", [good, *BAD[what](tmp_path / "out")])
    told = refusal(archive, tmp_path / "to" / "a")
    assert str(archive) in told
    assert "holds " in told
    assert below(tmp_path / "out") == {"secret": b"secret"}
    assert not (tmp_path / "to" / "bad").exists()
    refusal(archive, tmp_path / "to" / "a", ["good.root"])  # one bad member spoils all


@pytest.mark.parametrize("name", ["/bad", "../bad", "a/../../bad", "..\\bad", "a\x01b"])
def test_a_malicious_zip_is_refused_whole(tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path / "a.zip", {"good.root": b"good", name: b"x"})
    assert "no name of a file inside the folder" in refusal(archive, tmp_path / "to" / "a")


def test_links_devices_and_secrets_in_a_zip_are_refused(tmp_path: Path) -> None:
    for mode, told in ((stat.S_IFLNK, "a link"), (stat.S_IFCHR, "a device"), (stat.S_IFIFO, "a device")):
        info = zipfile.ZipInfo("odd")
        info.external_attr = (mode | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(info, "/etc/passwd")
        assert told in refusal(tmp_path / "a.zip", tmp_path / "to" / "a")
    content = bytearray(packed(tmp_path / "b.zip", {"a": b"x"}).read_bytes())
    for place, signature in ((6, b"PK\x03\x04"), (8, b"PK\x01\x02")):
        content[content.index(signature) + place] |= 1
    (tmp_path / "b.zip").write_bytes(content)
    assert "an encrypted file" in refusal(tmp_path / "b.zip", tmp_path / "to" / "a")


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_archive_is_refused_wherever_it_was_cut(tmp_path: Path, kind: str) -> None:
    whole = packed(tmp_path / f"whole.{kind}").read_bytes()
    used = len(whole)
    if kind == "tar":  # cut behind the closing block only, nothing is lost
        used = len(whole.rstrip(b"\0")) // 512 * 512 + 512
    cut = tmp_path / f"cut.{kind}"
    places = {1, 3, 100, 511, 512, 513, 1024, 40_000, 70_656, 71_168, 71_680, used // 2, used - 512, used - 9, used - 1}
    for place in sorted(place for place in places if 0 < place < used):
        cut.write_bytes(whole[:place])
        told = refusal(cut, tmp_path / "to" / "a")
        assert told.startswith(f"{cut}: ")
        assert "download it again" in told
    cut.write_bytes(b"")
    assert "the file is empty" in refusal(cut, tmp_path / "to" / "a")
    assert "no such file" in refusal(tmp_path / f"none.{kind}", tmp_path / "to" / "a")


def test_every_cut_between_two_members_of_a_tar_is_seen(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tar")
    with tarfile.open(archive) as tar:
        ends = [info.offset_data + -(-info.size // 512) * 512 for info in tar]
    whole = archive.read_bytes()
    for end in ends:
        (tmp_path / "cut.tar").write_bytes(whole[:end])
        assert "the end is missing" in refusal(tmp_path / "cut.tar", tmp_path / "to" / "a")


@pytest.mark.parametrize("kind", KINDS)
def test_other_files_and_damage_are_one_line(tmp_path: Path, kind: str) -> None:
    text = tmp_path / f"text.{kind}"
    text.write_text("not an archive\n" * 100)
    assert "not a tar, tar.gz or zip archive" in refusal(text, tmp_path / "to" / "a")
    damaged = bytearray(packed(tmp_path / f"a.{kind}").read_bytes())
    if kind == "tar":  # a tar file has sums of its headers only
        damaged[70_656 + 20] ^= 1
    else:
        damaged[len(damaged) // 2] ^= 1
    text.write_bytes(damaged)
    assert "cut or damaged" in refusal(text, tmp_path / "to" / "a")


def test_an_archive_of_nothing_is_refused(tmp_path: Path) -> None:
    for kind in KINDS:
        assert "holds no files" in refusal(packed(tmp_path / f"a.{kind}", {}), tmp_path / "to" / "a")
        assert "holds '.', which is no name" in refusal(
            packed(tmp_path / f"b.{kind}", {".": b"x"}), tmp_path / "to" / "b"
        )


def test_a_negative_size_is_no_way_back(tmp_path: Path) -> None:
    info = info_of("a", b"")
    info.size = -512
    block = bytearray(info_of("a", b"x").tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 10 + (-1024).to_bytes(2, "big", signed=True)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    (tmp_path / "a.tar").write_bytes(bytes(block) + bytes(10240))
    assert "cut or damaged" in refusal(tmp_path / "a.tar", tmp_path / "to" / "a")


def test_a_sparse_file_and_a_bomb_do_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = packed(tmp_path / "bomb.zip", {"zeros": bytes(30_000_000)})
    assert bomb.stat().st_size < 100_000
    seen = []

    def little(path: Path, needed: int) -> None:
        seen.append(needed)
        raise InputError(f"{path}: no space left on the disk")

    monkeypatch.setattr(archives, "require_space", little)
    assert "no space left" in refusal(bomb, tmp_path / "to" / "a")
    packed(tmp_path / "bomb.tar.gz", {"zeros": bytes(30_000_000), "more": b"x"})
    assert "no space left" in refusal(tmp_path / "bomb.tar.gz", tmp_path / "to" / "a")
    assert seen == [30_000_000, 30_000_001]
    sparse = info_of("sparse", type=tarfile.GNUTYPE_SPARSE)
    assert "only plain files" in refusal(tarred(tmp_path / "s.tar", [(sparse, b"")]), tmp_path / "to" / "a")


def test_a_zip_that_holds_more_than_it_says_is_damaged(tmp_path: Path) -> None:
    content = bytearray(packed(tmp_path / "a.zip", {"a": bytes(5000)}).read_bytes())
    for place, signature in ((22, b"PK\x03\x04"), (24, b"PK\x01\x02")):
        start = content.index(signature) + place
        content[start : start + 4] = (10).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(content)
    assert "Bad CRC" in refusal(tmp_path / "a.zip", tmp_path / "to" / "a")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Any, target: Path, size: int, bar: Any) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"half")
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(archives, "_copy", full)
    assert "no space left on the disk" in refusal(packed(tmp_path / "a.tar"), tmp_path / "to" / "a")


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.tar")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"Not a directory|File exists"):
        unpack(archive, tmp_path / "file" / "a")
    with pytest.raises(InputError, match=r"Not a directory|File exists"):
        unpack(archive, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "x"


def test_a_gzip_whose_sum_is_wrong_is_damaged(tmp_path: Path) -> None:
    content = bytearray(packed(tmp_path / "a.tar.gz").read_bytes())
    content[-8] ^= 1
    (tmp_path / "a.tar.gz").write_bytes(content)
    assert "CRC" in refusal(tmp_path / "a.tar.gz", tmp_path / "to" / "a")
    assert gzip.decompress(packed(tmp_path / "b.tar.gz").read_bytes())[:6] == b"val_5M"
