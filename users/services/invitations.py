import datetime as dt
from functools import partial

from django.contrib.auth.hashers import make_password
from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, PermissionRefused
from users import audit, mails
from users.models import User
from users.passwords import refuse_weak_password

SALT = "users.invitation"
AGE = dt.timedelta(days=mails.INVITATION_DAYS)


class MailRefused(DomainError):
    """The log says why."""

    status = 503
    code = "mail_refused"
    title = "Mail not sent"
    retry_after = 60


def invitation_token(user: User) -> str:
    """Return the link's token, void after a password, new address, or AGE."""
    return signing.dumps({"user": user.pk, "state": _state(user)}, salt=SALT)


def invite(user: User, *, by: User) -> None:
    """Send the invitation now, and record it.

    Raises PermissionRefused, Conflict for active passwords or inactive accounts, MailRefused.
    """
    if not by.is_superuser:
        raise PermissionRefused(_("Only administrators can do this."))
    user = User.objects.get(pk=user.pk)
    if user.has_usable_password() or not user.is_active:
        raise Conflict(
            _("%(user)s already has a password, or may not sign in.") % {"user": user}, code="not_to_be_invited"
        )
    if not mails.send(mails.invitation_mail(user, invitation_token(user))):
        raise MailRefused(
            _("The mail server rejected the invitation for %(email)s; the log says why.") % {"email": user.email}
        )
    note_invitation(user, by=by)


def invite_later(user: User, *, by: User) -> None:
    """Invite in the background after commit; record it when sent."""
    mail = mails.invitation_mail(user, invitation_token(user))
    transaction.on_commit(partial(mails.post, mail, then=partial(note_invitation, user, by=by)))


@unit_of_work
def note_invitation(user: User, *, by: User) -> None:
    User.objects.filter(pk=user.pk).update(invited_at=timezone.now())
    audit.record(user, "invited", by=by)


def check_invitation(*, token: str) -> None:
    """Raise DomainError for a spent, expired or wrong token."""
    _invited(token)


def accept_invitation(*, token: str, new: str) -> User:
    """Set the first password; the token also proves the address.

    Raises DomainError for a bad token, WeakPassword.
    """
    user = _invited(token)
    refuse_weak_password(new, user, field="new_password")
    return _store_first(token, make_password(new))


@unit_of_work
def _store_first(token: str, password_hash: str) -> User:
    user = _invited(token, is_locked=True)  # the second of two finds it spent
    user.password = password_hash
    user.email_verified_at = user.email_verified_at or timezone.now()
    user.save(update_fields=["password", "email_verified_at"])
    audit.record(user, "invitation_accepted")
    return user


def _invited(token: str, *, is_locked: bool = False) -> User:
    refused = DomainError(
        _("This link is not valid, was used already, or has expired; ask an administrator for a new one."),
        field="token",
    )
    try:
        claim = signing.loads(token, salt=SALT, max_age=AGE)
    except signing.BadSignature as error:
        raise refused from error
    people = User.objects.select_for_update() if is_locked else User.objects.all()
    user: User | None = people.filter(is_active=True, pk=claim["user"]).first()
    if user is None or user.has_usable_password() or claim["state"] != _state(user):
        raise refused
    return user


def _state(user: User) -> str:
    return salted_hmac(SALT, f"{user.password}|{user.email}|{user.access_epoch}", algorithm="sha256").hexdigest()
