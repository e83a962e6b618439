"""People with real sessions, for tests that must pass our authentication too."""

from datetime import timedelta

from django.utils import timezone
from rest_framework.test import APIClient

from users import tokens
from users.models import Session, User


def signed_in(user: User) -> APIClient:
    """A client with an access token of a new session, as the sign-in gives it."""
    session = Session.objects.create(
        user=user, current_jti=tokens.new_jti(), expires_at=timezone.now() + timedelta(days=1)
    )
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.access_token(session)}")
    return client
