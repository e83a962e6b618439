"""The digest by which a stored file is known again."""

import hashlib
from typing import IO

CHUNK = 1024 * 1024


def measured(source: IO[bytes]) -> tuple[int, str]:
    """The true length and the SHA-256, read in chunks from the beginning; the stream stands at its beginning again."""
    source.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    source.seek(0)
    return size, digest.hexdigest()
