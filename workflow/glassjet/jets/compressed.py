"""Event files, plain or packed with gzip."""

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from glassjet.errors import existing

GZIP_MAGIC = b"\x1f\x8b"
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)  # what reading a truncated or damaged gzip file raises


def opened(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked if it is gzip's, whatever its name. Whoever reads them catches DAMAGED."""
    with existing(path).open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")
