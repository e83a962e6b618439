"""Mails about accounts. They are sent beside the request: how long a mail server takes tells nobody which addresses
exist, and a mail server that is down keeps nobody from registering."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from users.models import User

log = structlog.get_logger(__name__)

MAX_WAITING = 500

_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
_waiting: set[Future[int]] = set()


def verification_mail(user: User, token: str) -> EmailMessage:
    """Asks a new user to confirm the address."""
    return _mail(user, "Confirm your e-mail address", "verify_email", "verify-email/", token=token)


def reset_mail(user: User, uid: str, token: str) -> EmailMessage:
    """Lets somebody who forgot the password choose a new one."""
    return _mail(user, "Choose a new password", "password_reset", "reset-password/", uid=uid, token=token)


def post(mail: EmailMessage) -> None:
    """Send it soon, in the background; a failure is logged and no more."""
    if len(_waiting) >= MAX_WAITING:
        log.error("mail_dropped", subject=mail.subject, reason="too many are waiting")
        return
    future = _executor.submit(mail.send)
    _waiting.add(future)
    future.add_done_callback(_finish)


def flush() -> None:
    """Wait until all mails have left or failed; for tests and commands."""
    wait(list(_waiting), timeout=settings.EMAIL_TIMEOUT)


def _finish(future: Future[int]) -> None:
    _waiting.discard(future)
    error = future.exception()
    if error is not None:
        log.error("mail_failed", error=repr(error))


def _mail(user: User, subject: str, template: str, page: str, **values: str) -> EmailMessage:
    link = f"{settings.PUBLIC_URL.rstrip('/')}/{page}?{urlencode(values)}"
    context: dict[str, Any] = {"user": user, "link": link, "api": settings.PUBLIC_URL.rstrip("/"), **values}
    return EmailMessage(subject, render_to_string(f"users/{template}.txt", context), to=[user.email])
