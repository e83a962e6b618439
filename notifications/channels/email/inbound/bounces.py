"""Reports that a mail of ours was not delivered (RFC 3464)."""

from dataclasses import dataclass
from email.message import Message

from notifications.channels.email.addresses import mask_all
from notifications.channels.email.inbound.headers import decoded, header, headers
from notifications.channels.email.tokens import Token, token_in_address, tokens_in_references

FAILED = "failed"
REASON_LENGTH = 250
MOST_TOKENS = 10  # each is tried for all addresses


@dataclass(frozen=True)
class Bounce:
    """`is_final` unless the server tries again."""

    tokens: tuple[Token, ...]
    reason: str
    is_final: bool


def read_bounce(mail: Message, recipients: list[str], raw: str) -> Bounce | None:
    """Return what a mail reports, if anything; `raw` is searched for our Message-ID."""
    reports = [part for part in mail.walk() if part.get_content_type() == "message/delivery-status"]
    failed_recipients = headers(mail, "X-Failed-Recipients")  # Exim
    if not reports and not failed_recipients:
        return None
    blocks = [block for report in reports for block in _blocks(report)]
    of_recipients = [block for block in blocks if header(block, "Action") or header(block, "Status")]
    failed = [block for block in of_recipients if _is_final(block)]
    to_bounces = [token for token in map(token_in_address, recipients) if token is not None and token.is_bounce]
    return Bounce(
        tuple(dict.fromkeys([*to_bounces[:MOST_TOKENS], *tokens_in_references(raw, MOST_TOKENS)]))[:MOST_TOKENS],
        _reason(failed[0] if failed else of_recipients[0] if of_recipients else mail),
        is_final=bool(failed) or (not of_recipients and bool(failed_recipients)),
    )


def _blocks(report: Message) -> list[Message]:
    payload = report.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _is_final(block: Message) -> bool:
    action = header(block, "Action").strip().lower()
    return action == FAILED if action else header(block, "Status").strip().startswith("5")


def _reason(block: Message) -> str:
    said = header(block, "Diagnostic-Code").partition(";")[2].strip()
    status = header(block, "Status")
    words = " ".join(filter(None, (status if status not in said else "", said))) or header(block, "Subject")
    return mask_all(decoded(words)[:REASON_LENGTH])
