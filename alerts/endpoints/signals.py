"""What a ping says of its job: `…/fail`, `…/start`, an exit code."""

import enum
from dataclasses import dataclass

from intake.requests import IntakeError, IntakeRequest

MAX_MESSAGE = 2_000
MAX_EXIT_CODE = 255


class Signal(enum.Enum):
    """A job's outcome."""

    ALIVE = "alive"
    STARTED = "started"
    FAILED = "failed"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Ping:
    """A heartbeat's name ("": the source), the signal, and the failure's text."""

    name: str
    signal: Signal = Signal.ALIVE
    message: str = ""


ENDINGS = {"fail": Signal.FAILED, "start": Signal.STARTED, "log": Signal.NOTHING}
WORDS = {
    **dict.fromkeys(("up", "ok", "alive", "success", "complete", "completed", "finished", "passing"), Signal.ALIVE),
    **dict.fromkeys(("down", "fail", "failed", "failure", "failing", "error", "critical", "timeout"), Signal.FAILED),
    **dict.fromkeys(("run", "start", "started", "running", "in_progress"), Signal.STARTED),
}
STATES = ("status", "state")
CODES = ("exit_code", "status_code", "s")


def endings_of(path: str) -> tuple[str, str]:
    """Split `backup/fail` into ("backup", "fail")."""
    head, _slash, last = path.rpartition("/")
    if last.lower() in ENDINGS or (head and is_exit_code(last)):
        return head, last.lower()
    return path, ""


def is_exit_code(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= MAX_EXIT_CODE


def ping_of(name: str, ending: str, request: IntakeRequest) -> Ping:
    """Return a request's ping. Raises IntakeError (422) for an unknown word."""
    code = ending if is_exit_code(ending) else _parameter(request, CODES)
    state = _parameter(request, STATES).lower()
    if code and not is_exit_code(code):
        raise _unknown(f"An exit code must be a number from 0 to {MAX_EXIT_CODE}")
    if state and state not in WORDS:
        raise _unknown(f"The status of a heartbeat is one of {', '.join(WORDS)}")
    signals = [ENDINGS[ending]] if ending in ENDINGS else []
    signals += [WORDS[state]] if state else []
    signals += [Signal.FAILED if int(code) else Signal.ALIVE] if code else []
    signal = Signal.FAILED if Signal.FAILED in signals else next(iter(signals), Signal.ALIVE)
    return Ping(name, signal, _message(request, code) if signal == Signal.FAILED else "")


def _parameter(request: IntakeRequest, names: tuple[str, ...]) -> str:
    return next(filter(None, (request.parameter(name).strip() for name in names)), "")


def _message(request: IntakeRequest, code: str) -> str:
    body = request.body.decode("utf-8", "replace").replace("\0", "").strip()
    message = request.parameter("msg") or request.parameter("message")
    parts = (f"Exit code {code}." if code and int(code) else "", message, body[-MAX_MESSAGE:])
    return "\n\n".join(filter(None, parts))[:MAX_MESSAGE]


def _unknown(message: str) -> IntakeError:
    return IntakeError(f"{message}.", status=422, is_stored=False)
