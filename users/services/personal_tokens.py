import datetime as dt

from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import PermissionRefused
from users import audit
from users.models import PersonalToken, Session, TokenScope, User
from users.services import second_factors
from users.tokens import digest_of, new_personal_token

SHOWN_CHARACTERS = 12


@unit_of_work
def create_personal_token(
    user: User,
    *,
    name: str,
    scope: TokenScope = TokenScope.READ,
    expires_at: dt.datetime | None = None,
    session: Session | None = None,
    is_confirmed: bool = False,
) -> tuple[PersonalToken, str]:
    """Return a new row and its token, which is not stored.

    `is_confirmed`: the browser's session has passed a second factor. Raises PermissionRefused when the account or
    `session` just ended, SecondFactorRequired.
    """
    is_active = User.objects.select_for_update().active().filter(pk=user.pk).exists()
    is_ended = session is not None and not Session.objects.filter(pk=session.pk, revoked_at__isnull=True).exists()
    if not is_active or is_ended:
        raise PermissionRefused(_("This session has ended; sign in again."))
    second_factors.refuse_unconfirmed(user, is_confirmed=session.is_confirmed if session else is_confirmed)
    text = new_personal_token()
    row = PersonalToken.objects.create(
        user=user,
        name=name,
        prefix=text[:SHOWN_CHARACTERS],
        digest=digest_of(text),
        scope=scope,
        expires_at=expires_at,
    )
    audit.record(user, "token_created", token=str(row), scope=str(scope))
    return row, text


@unit_of_work
def delete_personal_token(token: PersonalToken) -> None:
    _delete(token)


def end_personal_tokens(user: User, *, reason: str, by: User | None = None) -> None:
    """Revoke somebody's tokens, recording the reason."""
    for token in PersonalToken.objects.filter(user=user).select_related("user"):
        _delete(token, by=by, reason=reason)


def _delete(token: PersonalToken, by: User | None = None, **facts: str) -> None:
    audit.record(token.user, "token_deleted", by=by, token=str(token), scope=token.scope, **facts)
    token.delete()
