"""Twilio's error codes: which pass, which last, which mean that a number never works.

https://www.twilio.com/docs/api/errors
"""

from dataclasses import dataclass

from notifications.channels.port import Failed

SLOW_DOWN_SECONDS = 5.0


@dataclass(frozen=True)
class _Fault:
    meaning: str
    is_permanent: bool = False
    disables: bool = False


def _passing(meaning: str) -> _Fault:
    return _Fault(meaning)


def _lasting(meaning: str) -> _Fault:
    return _Fault(meaning, is_permanent=True)


def _dead(meaning: str) -> _Fault:
    return _Fault(meaning, is_permanent=True, disables=True)


_FAULTS = {
    10001: _lasting("the account is not active"),
    10004: _passing("too many calls at once"),
    11200: _passing("our server did not answer Twilio; is PUBLIC_URL reachable from outside?"),
    11205: _passing("our server did not answer Twilio; is PUBLIC_URL reachable from outside?"),
    13224: _dead("not a number that can be called"),
    13225: _lasting("calls to this number are blocked"),
    13227: _lasting("calls to this country are not enabled in the account"),
    20003: _lasting("TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is wrong"),
    20404: _lasting("the account does not exist at TWILIO_API_URL"),
    20429: _passing("too many requests"),
    20500: _passing("Twilio has an internal error"),
    20503: _passing("Twilio is unavailable"),
    21210: _lasting("TWILIO_FROM is not a verified caller"),
    21211: _dead("not a valid number"),
    21212: _lasting("TWILIO_FROM is not a valid number"),
    21214: _lasting("this number cannot be reached"),
    21215: _lasting("calls to this country are not enabled in the account"),
    21216: _lasting("calls to this number are blocked"),
    21217: _dead("not a valid number"),
    21219: _lasting("a trial account reaches verified numbers only"),
    21265: _dead("a short code cannot be reached"),
    21408: _lasting("SMS to this country are not enabled in the account"),
    21603: _lasting("TWILIO_FROM is empty"),
    21606: _lasting("TWILIO_FROM cannot send SMS to this number"),
    21608: _lasting("a trial account reaches verified numbers only"),
    21609: _lasting("the status callback is refused; is PUBLIC_URL a public address?"),
    21610: _dead("the person has unsubscribed by replying STOP"),
    21611: _passing("the sender's queue is full"),
    21612: _lasting("no route from the sender to this number"),
    21614: _dead("a landline or no mobile number; it receives no SMS"),
    21617: _lasting("the text is too long"),
    21659: _lasting("TWILIO_FROM is not a number of this account"),
    21705: _lasting("TWILIO_MESSAGING_SERVICE_SID is not valid"),
    30001: _passing("the queue is full"),
    30002: _lasting("the account is suspended"),
    30003: _passing("the phone is off or out of reach"),
    30004: _lasting("the message was blocked"),
    30005: _dead("the number is unknown or no longer in use"),
    30006: _dead("a landline, or a carrier that cannot be reached"),
    30007: _lasting("the carrier filtered the message"),
    30008: _passing("the carrier gives no reason"),
    30017: _passing("the carrier's network is congested"),
    30022: _passing("the carrier's rate limit is exceeded"),
    30023: _lasting("the carrier's daily limit is reached"),
    30032: _lasting("the toll-free sender is not verified"),
    30034: _lasting("the sender is not registered for US carriers (A2P 10DLC)"),
    30035: _lasting("the sender's registration is not complete"),
    30410: _passing("the carrier did not answer in time"),
    30500: _passing("Twilio has an internal error"),
    30610: _passing("the carrier did not answer in time"),
}


def failed(code: int, *, status: int = 0, retry_after: float | None = None) -> Failed:
    """Return the failure of an error code, or of an HTTP status where the code is unknown.

    It has our own words: Twilio's may quote the number.
    """
    fault = _FAULTS.get(code)
    if fault is None:
        is_lasting = 400 <= status < 500 and status not in (408, 425, 429)
        fault = _Fault("Twilio does not say what" if code else "no error code", is_permanent=is_lasting)
    if status == 429 or code in (20429, 10004):
        retry_after = retry_after or SLOW_DOWN_SECONDS
    label = f"error {code}" if code else f"HTTP status {status}"
    return Failed(
        f"{label}: {fault.meaning}",
        is_permanent=fault.is_permanent,
        disables=fault.disables,
        retry_after=None if fault.is_permanent else retry_after,
        provider="twilio",
        # A server error may come after the message was taken.
        may_have_arrived=status >= 500,
    )
