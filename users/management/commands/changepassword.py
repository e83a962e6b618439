"""`manage.py changepassword`, ending sessions and tokens too."""

from typing import Any

from django.contrib.auth.management.commands import changepassword

from core.db.transactions import unit_of_work
from users import audit
from users.addresses import canonical
from users.models import User
from users.services import end_access


class Command(changepassword.Command):
    help = "Set a person's password. Ends their sessions and revokes their personal access tokens."

    def handle(self, *args: Any, **options: Any) -> str | None:
        email = canonical(options["username"] or "")
        done: str | None = super().handle(*args, **{**options, "username": email})
        _end(email)
        return done


@unit_of_work
def _end(email: str) -> None:
    user = User.objects.get(email=email)
    end_access(user, reason="password_set")
    audit.record(user, "password_set", by=None)
