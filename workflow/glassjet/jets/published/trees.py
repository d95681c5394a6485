"""Trees of ROOT files (TTree or RNTuple), read with uproot in pieces, and every way they fail in one line.

uproot is no check of a file: a damaged one makes it raise whatever its parser stumbles over. So everything that it
raises while it opens or reads is told as one InputError with the file, the branch and the rows.

Read ahead: what is left of a basket (of an RNTuple: a cluster) after the rows asked for is kept, up to HELD bytes for
all branches together, so that large baskets are not decompressed again for each piece. Memory is that of the rows asked
for, HELD, and one basket (of an RNTuple: two clusters) of one branch.

uproot and awkward are imported when a file is opened, so a reader can be imported without them.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassjet.errors import InputError, existing

HELD = 128_000_000  # bytes
HEADER = 20  # bytes: the magic number, the version, where the data begin, where the file ends (8 bytes in a large file)


@dataclass
class Tree:
    """An open tree.

    Attributes
    ----------
    name : str
    object :
        The TTree or RNTuple of uproot.
    num_entries : int
        How many rows it has.
    names : list of str
        Of its branches.
    clusters :
        uproot's own cache, for an RNTuple.
    held : dict
        The rows first:last of each branch of a TTree that are in memory already.
    """

    name: str
    object: Any
    num_entries: int
    names: list[str]
    clusters: Any
    held: dict[str, tuple[int, int, Any]] = field(default_factory=dict)

    def keys(self) -> list[str]:
        """The names of its branches."""
        return self.names


def reason(error: Exception) -> str:
    """What an error says, on one short line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said[:100]}" if said else type(error).__name__


def refusal(error: Exception, what: str, path: Path) -> InputError:
    """The line for anything that uproot raised while it read `what`."""
    if isinstance(error, ImportError):
        return InputError(f"{path}: {what} needs a package that is missing ({reason(error)}); install it")
    return InputError(f"{path}: {what} cannot be read ({reason(error)}); damaged? download or make it again")


def require_whole(path: Path) -> None:
    """Refuse what is no ROOT file, and one that is shorter than its header says."""
    with path.open("rb") as file:
        head = file.read(HEADER)
    if head[:4] != b"root":
        raise InputError(f"{path}: not a ROOT file")
    if len(head) == HEADER:
        (version,) = struct.unpack_from(">i", head, 4)
        (end,) = struct.unpack_from(">q" if version >= 1_000_000 else ">i", head, 12)  # wide in files of more than 2 GB
        if end <= path.stat().st_size:
            return
    raise InputError(f"{path}: the file is truncated, or was never closed; download or make it again")


def named_tree(file: Any, tree: str, path: Path) -> Any:
    """The tree of that name; a directory's is `directory/tree`."""
    classes = {key: name for key, name in file.classnames(cycle=False).items() if name in ("TTree", "ROOT::RNTuple")}
    if tree in classes:
        return file[tree]
    if not classes:
        raise InputError(f"{path}: holds no tree, but {tree!r} is needed")
    near = get_close_matches(tree, classes, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise InputError(f"{path}: no tree {tree!r}{hint}; it has {', '.join(sorted(classes)[:5])}")


@contextmanager
def open_tree(path: Path, tree: str) -> Iterator[Tree]:
    """Open the tree of that name in a ROOT file; the file is closed at the end.

    Raises
    ------
    InputError
        For a missing, truncated or damaged file, another format, a missing tree and one without rows.
    """
    require_whole(existing(path))
    try:  # plain reads, not a memory map: what was read does not stay in memory
        import awkward  # noqa: F401  (it makes the arrays)
        import uproot
        from uproot.source.file import MultithreadedFileSource

        file = uproot.open({str(path): None}, handler=MultithreadedFileSource, array_cache=None)
    except Exception as error:
        raise refusal(error, "the ROOT file", path) from None
    with file:
        try:
            read = named_tree(file, tree, path)
            found = Tree(tree, read, int(read.num_entries), list(read.keys()), uproot.cache.LRUArrayCache(HELD))
        except InputError:
            raise
        except Exception as error:
            raise refusal(error, f"the tree {tree!r}", path) from None
        if found.num_entries == 0:
            raise InputError(f"{path}: the tree {tree!r} has no rows")
        yield found


def require_branches(tree: Tree, names: Sequence[str], path: Path) -> None:
    """Refuse a tree without the named branches; the message has the nearest that exists."""
    known = set(tree.names)
    missing = [name for name in names if name not in known]
    if not missing:
        return
    near = get_close_matches(missing[0], tree.names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    more = f", nor {', '.join(missing[1:4])}" if len(missing) > 1 else ""
    more += f" and {len(missing) - 4} more" if len(missing) > 4 else ""
    raise InputError(f"{path}: the tree {tree.name!r} has no branch {missing[0]!r}{hint}{more}")


def read_branches(tree: Tree, names: Sequence[str], start: int, stop: int, path: Path) -> dict[str, Any]:
    """Rows start:stop of the named branches, as awkward arrays; cheapest where each `start` is the last `stop`."""
    require_branches(tree, names, path)
    out = {}
    for name in names:
        try:
            out[name] = _read(tree, name, start, stop)
        except Exception as error:
            raise refusal(error, f"the branch {name!r} (rows {start} to {stop - 1})", path) from None
        if len(out[name]) != stop - start:
            raise InputError(f"{path}: the branch {name!r} ends at row {start + len(out[name])}, before the tree does")
    return out


def _read(tree: Tree, name: str, start: int, stop: int) -> Any:
    import awkward as ak

    branch = tree.object[name]
    if not hasattr(branch, "entry_offsets"):  # an RNTuple, of which uproot itself keeps clusters
        return branch.array(entry_start=start, entry_stop=stop, array_cache=tree.clusters)
    first, last, held = tree.held.pop(name, (start, start, None))
    parts = []
    if held is not None and first <= start < last:
        parts.append(held[start - first : stop - first])
    else:
        last = start
    if stop > last:
        ends = branch.entry_offsets  # of the baskets
        end = max(stop, int(ends[np.searchsorted(ends, stop)])) if stop < ends[-1] else stop
        read = branch.array(entry_start=last, entry_stop=end, array_cache=None)
        parts.append(read[: stop - last])
        held, first, last = read, last, end
    if stop < last:
        rest = ak.to_packed(held[stop - first :])
        if rest.nbytes + sum(other.nbytes for _, _, other in tree.held.values()) <= HELD:
            tree.held[name] = (stop, last, rest)
    return ak.concatenate(parts) if len(parts) > 1 else parts[0]


def flat_numbers(array: Any, name: str, path: Path) -> NDArray[Any]:
    """A branch with one number for each row, as numpy (n,)."""
    import awkward as ak

    if not isinstance(array.type.content, ak.types.NumpyType):
        raise InputError(f"{path}: the branch {name!r} holds {array.type.content}; one number for each row is needed")
    return ak.to_numpy(array)


def lists(arrays: dict[str, Any], path: Path, start: int) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Branches with a list of numbers for each row: the lists' lengths (n,) and the numbers of each branch, flat.

    `start` is the number of the first row, for the messages. All branches must have lists of the same lengths.
    """
    import awkward as ak

    counts: NDArray[np.int64] | None = None
    flat = {}
    for name, array in arrays.items():
        content = array.type.content
        is_list = isinstance(content, ak.types.ListType | ak.types.RegularType)
        if not is_list or not isinstance(content.content, ak.types.NumpyType) or content.parameters:
            raise InputError(f"{path}: the branch {name!r} holds {content}; a list of numbers for each row is needed")
        found = ak.to_numpy(ak.num(array, axis=1)).astype(np.int64)
        if counts is None:
            counts, first = found, name
        elif not np.array_equal(counts, found):
            row = int((counts != found).argmax())
            unequal = f"row {start + row} has {counts[row]} entries in {first!r}, but {found[row]} in {name!r}"
            raise InputError(f"{path}: {unequal}; they must be equally many")
        flat[name] = ak.to_numpy(ak.flatten(array, axis=1))
    if counts is None:
        raise ValueError("no branches")
    return counts, flat


def require_finite(columns: dict[str, NDArray[Any]], row_of: NDArray[np.int64], path: Path) -> None:
    """Refuse NaN and infinite numbers, naming branch and row; `row_of` has the row of each entry."""
    for name, column in columns.items():
        finite = np.isfinite(column)
        if not finite.all():
            row = row_of[int(finite.argmin())]
            raise InputError(f"{path}: row {row} has a NaN or infinite {name}; remove it")
