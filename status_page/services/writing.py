"""Write the page's files: atomically, only what changed, one writer at a time."""

import datetime as dt
import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import orjson
from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import Busy, StorageUnavailable
from status_page.addresses import page_url
from status_page.rendering import render
from status_page.rendering.site import MANIFEST
from status_page.services.page import the_page
from status_page.services.snapshot import note_written, read_snapshot

REFRESH = dt.timedelta(seconds=55)  # the "last updated" of an unchanged page
LOCK = ".lock"
LOCK_SECONDS = 10.0
TEMPORARY = ".new"
UID = re.compile("[0-9a-f]{32}")


def write_page(now: dt.datetime, *, is_forced: bool = False) -> int:
    """Bring the files up to date; return how many changed.

    The page is read under the lock, so that no writer puts an earlier state over a later one. Raises
    StorageUnavailable, and Busy while another writer takes too long.
    """
    root = Path(settings.STATUS_ROOT)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root):
            page = the_page()
            before = read_manifest(root)
            if not is_forced and _is_current(before, page.revision, now):
                return 0
            files = render(read_snapshot(page, now), now)
            described = {MANIFEST: files.pop(MANIFEST)}
            written = write_files(root, files)
            remove_files(root, before, files)
            written += write_files(root, described)
    except OSError as error:
        raise StorageUnavailable(
            _("The status page cannot be written to %(root)s: %(strerror)s.")
            % {"root": root, "strerror": error.strerror}
        ) from error
    note_written(page, page.revision, now)
    return written


def read_manifest(root: Path) -> dict[str, object]:
    """Return the manifest of what was written last; empty where there is none."""
    try:
        found = orjson.loads((root / MANIFEST).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_files(root: Path, files: dict[str, bytes]) -> int:
    """Write those that differ, in their order; return how many."""
    count = 0
    for name, content in files.items():
        path = root / name
        if _content(path) == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}{TEMPORARY}")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        count += 1
    return count


def remove_files(root: Path, before: dict[str, object], files: dict[str, bytes]) -> None:
    """Remove what was written earlier and belongs no more; never what others put there."""
    listed = before.get("files")
    earlier = [*(listed if isinstance(listed, list) else _pages_in(root)), *_announcements_in(root)]
    for name in earlier:
        if isinstance(name, str) and name not in files and name != MANIFEST and is_plain(name):
            (root / name).unlink(missing_ok=True)
            for folder in list((root / name).relative_to(root).parents)[:-1]:
                with suppress(OSError):  # others' files are in it
                    (root / folder).rmdir()


def _pages_in(root: Path) -> list[str]:
    """Return what can only be ours, where no manifest says what is."""
    found = [path for kind in ("incidents", "history") for path in root.glob(f"**/{kind}/*.html")]
    return [str(path.relative_to(root)) for path in found]


def _announcements_in(root: Path) -> list[str]:
    """Return pages of announcements, also those that a writer left that was killed before it listed them."""
    found = [path for pattern in ("incidents/*.html", "*/incidents/*.html") for path in root.glob(pattern)]
    return [str(path.relative_to(root)) for path in found if UID.fullmatch(path.stem)]


def is_plain(name: str) -> bool:
    """Return whether a path stays within its folder and hides nothing."""
    path = PurePosixPath(name)
    return not path.is_absolute() and all(part not in ("", "..") and part[0] != "." for part in path.parts)


def _is_current(before: dict[str, object], revision: int, now: dt.datetime) -> bool:
    try:
        updated_at = dt.datetime.fromisoformat(str(before["updated_at"]))
    except (KeyError, ValueError):
        return False
    is_same = (before.get("revision"), before.get("url")) == (revision, page_url())
    return is_same and dt.timedelta() <= now - updated_at < REFRESH


def _content(path: Path) -> bytes | None:
    try:
        return None if path.is_symlink() else path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the folder's lock. Raises Busy."""
    deadline = time.monotonic() + LOCK_SECONDS
    with (root / LOCK).open("a") as line:
        while True:
            try:
                fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Busy(_("Another process writes the status page.")) from None
            time.sleep(0.02)
        yield
