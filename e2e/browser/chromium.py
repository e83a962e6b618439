"""Finding Chromium and what drives it, or saying why not."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from e2e.environments import Unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A container's root may not open a sandbox; forced collection shows what is really held.
ARGUMENTS = ["--no-sandbox", "--js-flags=--expose-gc", "--enable-precise-memory-info"]
INSTALL_SECONDS = 600


def find() -> str:
    """Return the program's path; Unavailable says how to get it."""
    program = os.environ.get("CHROMIUM") or _on_path() or _installed()
    if not program:
        raise Unavailable("no Chromium: `apt install chromium`, or name one with CHROMIUM=/path/to/it")
    if find_spec("playwright") is None:
        raise Unavailable("no Playwright: `pip install -r requirements-dev.txt`")
    return program


@contextmanager
def running() -> Iterator["Browser"]:
    """Run it without a window until the block ends."""
    program = find()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def _on_path() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def _installed() -> str | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    command = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    return _on_path()
