"""What is done to every log line, whoever wrote it."""

import re

from structlog.typing import WrappedLogger

# What follows is a source's key, unless it is a file of ours in a traceback, or the logger's name in its brackets.
_IN_PATH = re.compile(r"(intake(?:/|%2f)+)(?!\w+\.py\b) *[^/\s\"'?#<>\\\[][^/\s\"'?#<>\\]*", re.IGNORECASE)


def without_keys(_logger: WrappedLogger, _method: str, line: str) -> str:
    """A processor of structlog: the rendered line without the keys of sources, which stand in addresses after /intake/.

    It comes after the renderer: an address may be in a message, in its arguments, in a field or in a traceback.
    """
    return _IN_PATH.sub(r"\1…", line)
