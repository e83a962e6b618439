"""Passwords, hashed before transactions: SQLite has one writer."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import DomainError
from users import audit, mails
from users.addresses import canonical
from users.models import Session, User
from users.passwords import refuse_weak_password
from users.services import second_factors
from users.services.claiming import take_from_stranger
from users.services.sessions import TokenPair, confirm_password, end_access, open_session, pair_of, rotate


def change_password(
    user: User, *, current: str, new: str, session: Session | None = None, keep_tokens: bool = False
) -> TokenPair:
    """Set a password, ending other sessions and, unless kept, tokens; return new tokens.

    Raises DomainError for a wrong `current`, TooManyRequests, WeakPassword, SecondFactorRequired.
    """
    second_factors.refuse_unconfirmed(user, is_confirmed=session is not None and session.is_confirmed)
    if not confirm_password(user, current):
        raise _not_present()
    refuse_weak_password(new, user, field="new_password")
    return _store_change(user, make_password(new), session, keep_tokens)


@unit_of_work
def _store_change(user: User, password_hash: str, session: Session | None, keep_tokens: bool) -> TokenPair:
    owner = User.objects.select_for_update().get(pk=user.pk)
    if owner.password != user.password:  # the second of two has a void password
        raise _not_present()
    _store(owner, password_hash)
    end_access(owner, reason="password_changed", but=session, keep_tokens=keep_tokens)
    audit.record(owner, "password_changed")
    kept = session and Session.objects.select_for_update().filter(pk=session.pk, revoked_at__isnull=True).first()
    if kept is None:
        return pair_of(open_session(owner, is_confirmed=session is not None and session.is_confirmed))
    rotate(kept, timezone.now())
    return pair_of(kept)


def request_password_reset(*, email: str) -> None:
    """Mail a link if the address is known; both cases look and cost the same."""
    user = User.objects.active().filter(email=canonical(email)).first()
    addressee = user or User(pk=0, email=email, name="", password="!")  # noqa: S106 (nobody's: it only costs the same)
    uid = urlsafe_base64_encode(force_bytes(addressee.pk))
    mail = mails.reset_mail(addressee, uid, default_token_generator.make_token(addressee))
    if user is not None:
        mails.post(mail)


def check_reset(*, uid: str, token: str) -> None:
    """Raise DomainError for a spent, expired or wrong token."""
    _owner_of(uid, token)


def reset_password(*, uid: str, token: str, new: str) -> None:
    """Set a password by mailed token, ending what the old gave.

    It proves the address, and takes the account from whoever registered without. Raises DomainError for a bad token,
    WeakPassword.
    """
    user = _owner_of(uid, token)
    refuse_weak_password(new, user, field="new_password")
    _store_reset(user, token, make_password(new))


@unit_of_work
def _store_reset(user: User, token: str, password_hash: str) -> None:
    owner = User.objects.select_for_update().get(pk=user.pk)
    if not default_token_generator.check_token(owner, token):  # the second of two finds it spent
        raise _spent()
    take_from_stranger(owner)
    owner.email_verified_at = owner.email_verified_at or timezone.now()
    owner.save(update_fields=["email_verified_at"])
    _store(owner, password_hash)
    end_access(owner, reason="password_reset")
    audit.record(owner, "password_reset")


def _store(owner: User, password_hash: str) -> None:
    owner.password = password_hash
    owner.save(update_fields=["password"])


def _owner_of(uid: str, token: str) -> User:
    try:
        pk = int(urlsafe_base64_decode(uid))
    except ValueError as error:
        raise _spent() from error
    user: User | None = User.objects.active().filter(pk=pk).first() if 0 < pk < 2**63 else None
    if user is None or not default_token_generator.check_token(user, token):
        raise _spent()
    return user


def _not_present() -> DomainError:
    return DomainError(_("This is not your current password."), field="current_password")


def _spent() -> DomainError:
    return DomainError(_("This link is not valid, was used already, or has expired; request a new one."), field="token")
