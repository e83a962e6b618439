"""Second factors: set up, asked for wherever a password is taken, removed."""

import datetime as dt
import secrets
from functools import partial

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, PermissionRefused, TooManyRequests
from users import audit, lockout, mails, totp
from users.models import AuthenticatorApp, RecoveryCode, SecurityKey, User
from users.sealing import keyed_digest, seal, unseal

RECOVERY_CODES = 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
MOST_WRONG = 30  # of one account, from anywhere, in the time that a lock lasts


class OtpRequired(DomainError):
    status = 401
    code = "otp_required"
    title = "Second factor required"


class OtpRefused(DomainError):
    status = 401
    code = "otp_invalid"
    title = "Authentication required"


class SecondFactorRequired(PermissionRefused):
    code = "second_factor_required"
    title = "Second factor required"


def is_set(user: User) -> bool:
    """Return whether this person has a second factor."""
    return has_app(user) or SecurityKey.objects.filter(user=user).exists()


def has_app(user: User) -> bool:
    return AuthenticatorApp.objects.filter(user=user).exists()


def require(request: HttpRequest, user: User, code: str) -> bool:
    """Return whether a second factor was given: False where none is set.

    Raises OtpRequired, OtpRefused, TooManyRequests. Wrong codes count as failed sign-ins.
    """
    if not is_set(user):
        return False
    if not code.strip():
        raise OtpRequired(_("Send the code of your authenticator app, or a recovery code."), field="otp")
    lockout.refuse_if_locked(request, user.email)
    if not use_code(user, code):
        lockout.count_failure(request, user.email)
        lockout.refuse_locked(request, user.email)
        raise OtpRefused(_("This code is not valid, or was used already."), field="otp")
    return True


def refuse_unconfirmed(user: User, *, is_confirmed: bool) -> None:
    """Raise SecondFactorRequired for a session without the second factor that is set."""
    if not is_confirmed and is_set(user):
        raise SecondFactorRequired(_("Sign in with your second factor to do this."))


def set_up_app(user: User, *, secret: str, code: str) -> list[str]:
    """Add an authenticator app, proven by a code; return new recovery codes. Raises DomainError, Conflict."""
    step = totp.matching_step(secret, _plain(code), timezone.now().timestamp(), after=0)
    if step is None:
        message = _("This is not the app's present code. Check that the clock of your device is right.")
        raise DomainError(message, field="code", code="wrong_code")
    return _store_app(user, secret, step)


@unit_of_work
def _store_app(user: User, secret: str, step: int) -> list[str]:
    owner = User.objects.select_for_update().get(pk=user.pk)
    if AuthenticatorApp.objects.filter(user=owner).exists():
        raise Conflict(_("An authenticator app is set up already; remove it first."), code="already_exists")
    AuthenticatorApp.objects.create(user=owner, secret=seal(secret), last_step=step)
    audit.record(owner, "second_factor_set", kind="authenticator app")
    return replace_recovery_codes(owner)


@unit_of_work
def renew_recovery_codes(user: User) -> list[str]:
    """Return new recovery codes, voiding the others. Raises Conflict without a second factor."""
    owner = User.objects.select_for_update().get(pk=user.pk)
    if not is_set(owner):
        raise Conflict(_("Set up a second factor first."), code="no_second_factor")
    audit.record(owner, "recovery_codes_renewed")
    return replace_recovery_codes(owner)


def replace_recovery_codes(user: User) -> list[str]:
    """Return new recovery codes in the place of the old; lock the user first."""
    RecoveryCode.objects.filter(user=user).delete()
    codes = [_new_recovery_code() for _number in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(user, code)) for code in codes)
    return codes


def use_code(user: User, code: str) -> bool:
    """Return whether it is a code of the app or a recovery code, and spend it. Raises TooManyRequests."""
    wanted = _plain(code)
    is_of_app = len(wanted) == totp.DIGITS and wanted.isascii() and wanted.isdigit()
    return _use_app_code(user, wanted) if is_of_app else _use_recovery_code(user, wanted)


def _use_app_code(user: User, code: str) -> bool:
    is_right, wait = _try_app_code(user, code)
    if wait:
        raise TooManyRequests(lockout.MESSAGE, retry_after=wait)
    return is_right


@unit_of_work
def _try_app_code(user: User, code: str) -> tuple[bool, int]:
    app = AuthenticatorApp.objects.select_for_update().filter(user=user).first()
    now = timezone.now()
    if app is None:
        return False, 0
    if wait := _seconds_left(app, now):
        return False, wait
    step = totp.matching_step(unseal(app.secret), code, now.timestamp(), after=app.last_step)
    if step is None:
        if app.wrong_since is None or now - app.wrong_since > settings.AXES_COOLOFF_TIME:
            app.wrong_codes, app.wrong_since = 0, now
        app.wrong_codes += 1
    else:
        app.last_step, app.last_used_at = step, now
        app.wrong_codes, app.wrong_since = 0, None
    app.save(update_fields=["last_step", "last_used_at", "wrong_codes", "wrong_since"])
    return step is not None, 0


def _seconds_left(app: AuthenticatorApp, now: dt.datetime) -> int:
    if app.wrong_codes < MOST_WRONG or app.wrong_since is None:
        return 0
    left: dt.timedelta = app.wrong_since + settings.AXES_COOLOFF_TIME - now
    return max(0, int(left.total_seconds()))


@unit_of_work
def _use_recovery_code(user: User, code: str) -> bool:
    unused = RecoveryCode.objects.select_for_update().filter(user=user, used_at__isnull=True)
    found = unused.filter(digest=_digest(user, code)).first()
    if found is None:
        return False
    found.used_at = timezone.now()
    found.save(update_fields=["used_at"])
    audit.record(user, "recovery_code_used", left=unused.count())
    return True


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()


@unit_of_work
def remove_app(user: User) -> None:
    """Remove one's authenticator app. Raises Conflict where there is none."""
    owner = User.objects.select_for_update().get(pk=user.pk)
    if not AuthenticatorApp.objects.filter(user=owner).delete()[0]:
        raise _nothing_set()
    audit.record(owner, "second_factor_removed", kind="authenticator app")
    drop_idle_recovery_codes(owner)


def drop_all(user: User, *, by: User | None = None) -> None:
    """Delete all second factors; lock the user first."""
    if is_set(user):
        AuthenticatorApp.objects.filter(user=user).delete()
        SecurityKey.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        audit.record(user, "second_factor_removed", by=by, kind="all")


def drop_idle_recovery_codes(user: User) -> None:
    """Delete recovery codes that stand in for nothing any more, and tell the person by mail."""
    if not is_set(user):
        RecoveryCode.objects.filter(user=user).delete()
        transaction.on_commit(partial(mails.post, mails.factor_removed_mail(user)))


@unit_of_work
def remove_factors(user: User, *, by: User) -> None:
    """Remove all second factors of somebody else who lost them. Raises PermissionRefused, Conflict."""
    if not by.is_superuser:
        raise PermissionRefused(_("Only administrators can do this."))
    if by.pk == user.pk:  # a session left open must not be enough
        raise PermissionRefused(_("Remove your own in your security settings, which ask for your password."))
    owner = User.objects.select_for_update().get(pk=user.pk)
    if not is_set(owner):
        raise _nothing_set()
    drop_all(owner, by=by)
    drop_idle_recovery_codes(owner)


def _nothing_set() -> Conflict:
    return Conflict(_("No second factor is set."), code="no_second_factor")


def _new_recovery_code() -> str:
    text = "".join(secrets.choice(ALPHABET) for _place in range(10))
    return f"{text[:5]}-{text[5:]}"


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _digest(user: User, code: str) -> str:
    return keyed_digest("users.recovery-codes", f"{user.pk}:{_plain(code)}")
