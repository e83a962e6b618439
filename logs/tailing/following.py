"""Follow a growing file by whole lines."""

import os
from pathlib import Path
from typing import BinaryIO

from core.text.encodings import BYTE_ORDER_MARK

CHUNK = 1024 * 1024
LONGEST = 1024 * 1024  # bytes; longer lines are split


class Follower:
    """Follows a path through rotation and truncation, from its end unless `from_start`."""

    def __init__(self, path: Path, *, from_start: bool = False) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        if self._open() and self._file is not None and not from_start:
            self._file.seek(0, os.SEEK_END)

    def poll(self) -> list[str]:
        """Return newly finished lines; large additions in parts."""
        if self._file is None and not self._open():
            return []
        lines = self._read()
        if not lines and self._is_replaced():
            lines = self._take_rest()
            self.close()
            if self._open():
                lines += self._read()
        return lines

    def finish(self) -> list[str]:
        """Return what is left without an end of line."""
        return self._take_rest()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _open(self) -> bool:
        try:
            self._file = self.path.open("rb")
        except FileNotFoundError:
            return False
        return True

    def _read(self) -> list[str]:
        assert self._file is not None  # noqa: S101 (poll opens it)
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)
            self._rest = b""
        *pieces, self._rest = (self._rest + self._file.read(CHUNK)).split(b"\n")
        if len(self._rest) > LONGEST:
            pieces, self._rest = [*pieces, self._rest], b""
        return [_text(piece) for piece in pieces]

    def _take_rest(self) -> list[str]:
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []

    def _is_replaced(self) -> bool:
        assert self._file is not None  # noqa: S101 (poll opens it)
        mine = os.fstat(self._file.fileno())
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False  # between the steps of a rotation
        return (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev)


def _text(piece: bytes) -> str:
    return piece.decode("utf-8", "replace").removeprefix(BYTE_ORDER_MARK).removesuffix("\r")
