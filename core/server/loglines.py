"""What is done to every log line, whoever wrote it."""

import logging
import re
from http import HTTPStatus

from structlog.typing import WrappedLogger

# What follows is a source's key, unless it is a file of ours in a traceback, or the logger's name in its brackets.
_IN_PATH = re.compile(r"(intake(?:/|%2f)+)(?!\w+\.py\b) *[^/\s\"'?#<>\\\[][^/\s\"'?#<>\\]*", re.IGNORECASE)


def without_keys(_logger: WrappedLogger, _method: str, line: str) -> str:
    """A processor of structlog: the rendered line without the keys of sources, which stand in addresses after /intake/.

    It comes after the renderer: an address may be in a message, in its arguments, in a field or in a traceback.
    """
    return _IN_PATH.sub(r"\1…", line)


class OneLineRefusals(logging.Filter):
    """What Django logs of requests that it refused with 4xx: one line, and no error of ours.

    A Host that is not ours, too many fields or a page that somebody may not see are the caller's doing; how the code
    came to say so tells nobody anything.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record; take the traceback off those."""
        status = getattr(record, "status_code", None)
        if (
            record.name.startswith("django.")
            and isinstance(status, int)
            and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        ):
            record.exc_info = record.exc_text = None
            if record.levelno > logging.WARNING:
                record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        return True
