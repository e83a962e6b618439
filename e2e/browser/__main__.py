"""`python -m e2e.browser [module[.Class[.test]] …]`: drive the pages in Chromium; 1 if a test failed."""

import argparse
import pkgutil
import signal
import sys
import unittest

from e2e.__main__ import say, stop_with_server
from e2e.browser import cases, chromium
from e2e.browser.case import BrowserCase
from e2e.browser.site import Site
from e2e.environments import Unavailable

LAST = "hostile"


def main() -> int:
    """Run what is named, or all."""
    known = sorted(
        (module.name for module in pkgutil.iter_modules(cases.__path__)), key=lambda name: (name == LAST, name)
    )
    parser = argparse.ArgumentParser(prog="e2e.browser", description=__doc__)
    parser.add_argument("tests", nargs="*", help=f"any of {', '.join(known)}, or one test in it; all unless named")
    chosen = parser.parse_args().tests or known
    try:
        chromium.find()
    except Unavailable as error:
        say(f"SKIP: {error}")
        return 0
    signal.signal(signal.SIGTERM, stop_with_server)
    with Site() as site, chromium.running() as browser:
        BrowserCase.site, BrowserCase.browser = site, browser
        suite = unittest.defaultTestLoader.loadTestsFromNames([f"e2e.browser.cases.{name}" for name in chosen])
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
