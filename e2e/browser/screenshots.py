"""`python -m e2e.browser.screenshots`: the README's pictures, from a server with the demo."""

import io
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from e2e.__main__ import say
from e2e.browser import chromium
from e2e.browser.case import DESKTOP, PHONE, BrowserCase
from e2e.browser.site import Site
from e2e.environments import Unavailable
from e2e.server import ROOT

FOLDER = ROOT / "docs" / "images"
COLOURS = 128  # a palette keeps each picture under the 200 kB that tests/test_docs.py allows
SETTLE_MS = 1500


@dataclass(frozen=True)
class Shot:
    """A picture: its name, who looks at what."""

    name: str
    who: str
    address: str
    is_dark: bool = False
    is_phone: bool = False


SHOTS = (
    Shot("dashboard", "ada", "/"),
    Shot("incidents", "ben", "/incidents/?ordering=-created_at"),
    Shot("incidents-dark", "ben", "/incidents/?ordering=-created_at", is_dark=True),
    Shot("incident", "ben", "/incidents/INC-27/"),
    Shot("on-call", "ben", "/on-call/1/"),
    Shot("report-phone", "hana", "/report/", is_phone=True),
)


def main() -> int:
    """Make them all."""
    try:
        chromium.find()
    except Unavailable as error:
        say(f"SKIP: {error}")
        return 0
    FOLDER.mkdir(exist_ok=True)
    with Site() as site, chromium.running() as browser:
        BrowserCase.site, BrowserCase.browser = site, browser
        case = BrowserCase()
        case.setUp()
        for shot in SHOTS:
            say(f"{take(case, shot)}")
    return 0


def take(case: BrowserCase, shot: Shot) -> Path:
    """Return the file of one picture, of always the same size."""
    page = case.at(shot.who, phone=shot.is_phone, dark=shot.is_dark)
    page.goto(shot.address, wait_until="load")
    page.wait_for_timeout(SETTLE_MS)
    path = FOLDER / f"{shot.name}.png"
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    expected = PHONE if shot.is_phone else DESKTOP
    assert picture.size == (expected["width"], expected["height"]), picture.size
    picture.quantize(COLOURS).save(path, optimize=True)
    page.context.close()
    return path.relative_to(ROOT)


if __name__ == "__main__":
    sys.exit(main())
