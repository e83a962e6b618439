"""`Authorization: Bearer` with either kind of token."""

from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request

from users.authentication import PersonalTokenAuthentication
from users.models import PersonalToken, User


class BearerPersonalToken(PersonalTokenAuthentication):
    """`Authorization: Bearer <personal token>`; JWTs, which have dots, are left to others."""

    keyword = b"bearer"

    def authenticate(self, request: Request) -> tuple[User, PersonalToken] | None:
        if b"." in get_authorization_header(request):
            return None
        return super().authenticate(request)
