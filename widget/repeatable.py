"""Packages that depend on what is in them alone: no time of day, no owner, no order of a disk, no umask.

setuptools takes times and rights from the files as they lie there, so that two checkouts of one commit give two
different archives. Both kinds are written again here, in place.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import time
import zipfile
from pathlib import Path

# The first second that a zip can name. SOURCE_DATE_EPOCH, in seconds since 1970, is another one.
EARLIEST = 315532800


def moment() -> int:
    """The time that everything in a package bears, in seconds since 1970."""
    return max(int(os.environ.get("SOURCE_DATE_EPOCH", EARLIEST)), EARLIEST)


def rights(mode: int) -> int:
    """Everybody may read, the owner may write, and who could run it still can."""
    return 0o755 if mode & stat.S_IXUSR else 0o644


def rewrite_wheel(path: Path) -> None:
    """Give a wheel's entries one time, plain rights and an order: by name, its RECORD last, as its standard wishes."""
    with zipfile.ZipFile(path) as before:
        entries = [(entry, before.read(entry)) for entry in before.infolist() if not entry.is_dir()]
    entries.sort(
        key=lambda pair: (".dist-info/" in pair[0].filename, pair[0].filename.endswith("/RECORD"), pair[0].filename)
    )
    with zipfile.ZipFile(path, "w") as after:
        for old, content in entries:
            entry = zipfile.ZipInfo(old.filename, time.gmtime(moment())[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # rights are those of Unix, on whatever system this runs
            entry.external_attr = (stat.S_IFREG | rights(old.external_attr >> 16)) << 16
            after.writestr(entry, content)


def rewrite_sdist(path: Path) -> None:
    """The same for an sdist; nobody owns its files."""
    with tarfile.open(path) as before:
        files = sorted((entry for entry in before if entry.isfile()), key=lambda entry: entry.name)
        contents = [(entry, extracted.read()) for entry in files if (extracted := before.extractfile(entry))]
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w", format=tarfile.PAX_FORMAT) as after:
        for old, content in contents:
            entry = tarfile.TarInfo(old.name)
            entry.size, entry.mtime, entry.mode = len(content), moment(), rights(old.mode)
            after.addfile(entry, io.BytesIO(content))
    # Without the name of a file, which a gzip's head would otherwise tell.
    path.write_bytes(gzip.compress(unpacked.getvalue(), mtime=moment()))
