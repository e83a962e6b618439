"""Personal access tokens, for scripts."""

import datetime as dt

from users import audit
from users.models import PersonalToken, TokenScope, User
from users.tokens import digest_of, new_personal_token
from users.transactions import unit_of_work

SHOWN_CHARACTERS = 12


@unit_of_work
def create_personal_token(
    user: User, *, name: str, scope: TokenScope = TokenScope.READ, expires_at: dt.datetime | None = None
) -> tuple[PersonalToken, str]:
    """A new token's row, and the token itself, which is nowhere to be found afterwards."""
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
    """Make a token useless."""
    audit.record(token.user, "token_deleted", token=str(token), scope=token.scope)
    token.delete()
