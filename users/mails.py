"""Mail in the background: timing must not tell which addresses exist."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.text.languages import reading
from core.text.names import one_line
from users.models import User

log = structlog.get_logger(__name__)

MAX_WAITING = 500
INVITATION_DAYS = 7

_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
_waiting: set[Future[None]] = set()


def verification_mail(user: User, token: str) -> EmailMessage:
    """Ask a new user to confirm the address."""
    return _mail(user, _("Verify your email address"), "verify_email", "verify-email/", token=token)


def invitation_mail(user: User, token: str) -> EmailMessage:
    """Invite somebody to choose a first password."""
    return _mail(user, _("Your account"), "invitation", "invitation/", token=token)


def reset_mail(user: User, uid: str, token: str) -> EmailMessage:
    return _mail(user, _("Choose a new password"), "password_reset", "reset-password/", uid=uid, token=token)


def factor_removed_mail(user: User) -> EmailMessage:
    return _mail(user, _("Your second factor was removed"), "factor_removed", "settings/security/")


def address_in_use_mail(user: User) -> EmailMessage:
    """Tell somebody who registers again that the account exists."""
    return _mail(user, _("You have an account already"), "address_in_use", "forgotten-password/")


def post(mail: EmailMessage, *, then: Callable[[], None] | None = None) -> None:
    """Send in the background, then call `then`; log failures."""
    if len(_waiting) >= MAX_WAITING:
        log.error("mail_dropped", subject=mail.subject, reason="too many are waiting")
        return
    future = _executor.submit(_send, mail, then)
    _waiting.add(future)
    future.add_done_callback(_finish)


def send(mail: EmailMessage) -> bool:
    """Send now; log a refusal and return False."""
    try:
        mail.send()
    except OSError as error:
        log.error("mail_failed", error=repr(error))
        return False
    return True


def flush() -> None:
    """Wait for all mails; for tests and commands."""
    wait(list(_waiting), timeout=settings.EMAIL_TIMEOUT)


def _send(mail: EmailMessage, then: Callable[[], None] | None) -> None:
    mail.send()
    if then is not None:
        try:
            then()
        finally:
            connection.close()


def _finish(future: Future[None]) -> None:
    _waiting.discard(future)
    error = future.exception()
    if error is not None:
        log.error("mail_failed", error=repr(error))


def _mail(user: User, subject: Promise, template: str, page: str, **values: str) -> EmailMessage:
    link = f"{settings.PUBLIC_URL.rstrip('/')}/{page}{'?' if values else ''}{urlencode(values)}"
    # No stranger's words go to an unverified address.
    name = one_line(user.name) if user.email_verified_at else ""
    context: dict[str, Any] = {
        "name": name,
        "email": user.email,
        "link": link,
        "api": settings.PUBLIC_URL.rstrip("/"),
        "invitation_days": INVITATION_DAYS,
        **values,
    }
    with reading(user.language):
        return EmailMessage(str(subject), render_to_string(f"users/{template}.txt", context), to=[user.email])
