"""The one exception that a user can mend, and what raises it most often. Imports nothing heavy."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class InputError(Exception):
    """Bad input: one line that names the file, the key or the layer, and the way out.

    The command line prints it without a traceback and exits with 2.
    """


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that does not exist: the nearest names, and all that do.

    >>> str(unknown("tagger", "pfm", ["pfn", "mbns"]))
    "there is no tagger 'pfm' (did you mean 'pfn'?); known: mbns, pfn"
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=2)
    hint = f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""
    return InputError(f"there is no {kind} {name!r}{hint}; known: {', '.join(names)}")


def existing(path: Path) -> Path:
    """`path`, if it is a file that can be read and is not empty."""
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if path.is_dir():
        raise InputError(f"{path}: is a directory, a file is needed")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty; make it again")
    return path
