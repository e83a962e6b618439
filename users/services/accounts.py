import datetime as dt
from zoneinfo import available_timezones

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import DomainError, PermissionRefused
from core.text.languages import codes, spoken
from core.text.names import normal, refuse_bad_person_name
from users import mails
from users.addresses import canonical
from users.models import Role, User
from users.passwords import refuse_weak_password

VERIFICATION_SALT = "users.verify-email"
VERIFICATION_AGE = dt.timedelta(days=3)
ADDRESS_TAKEN = gettext_lazy("An account with this email address already exists.")


class RegistrationClosed(PermissionRefused):
    code = "registration_closed"
    title = "Registration closed"


class AddressTaken(DomainError):
    code = "unique"


def refuse_closed() -> None:
    """Raise RegistrationClosed unless people may register."""
    if not settings.REGISTRATION_OPEN:
        raise RegistrationClosed(_("Registration is closed; ask an administrator for an account."))


def register(*, email: str, password: str, name: str, language: str = "") -> User:
    """Register a reporter, and mail a confirmation; their language is the default unless given.

    Raises RegistrationClosed, AddressTaken, WeakPassword, DomainError.
    """
    refuse_closed()
    user = User(email=canonical(email), name=person_name(name), role=Role.REPORTER, language=spoken(language))
    refuse_weak_password(password, user, field="password")
    user.set_password(password)
    insert(user)
    mails.post(mails.verification_mail(user, verification_token(user)))
    return user


def register_or_tell(*, email: str, password: str, name: str, language: str) -> None:
    """Register a reporter, or mail the person who has this address already: nobody learns which.

    Raises RegistrationClosed, WeakPassword, DomainError.
    """
    try:
        register(email=email, password=password, name=name, language=language)
    except AddressTaken:
        owner = User.objects.active().filter(email=canonical(email)).first()
        if owner is not None:
            mails.post(mails.address_in_use_mail(owner))


@unit_of_work
def edit_profile(user: User, **fields: str) -> User:
    """Change one's own name, time zone or language. Raises DomainError."""
    owner: User = User.objects.select_for_update().get(pk=user.pk)
    if "name" in fields:
        fields["name"] = person_name(fields["name"])
    if "time_zone" in fields and fields["time_zone"] not in available_timezones():
        raise DomainError(_("Unknown time zone; use a name such as Europe/Zurich."), field="time_zone")
    if "language" in fields and fields["language"] not in codes():
        raise DomainError(_("There are no pages in this language; choose one of the list."), field="language")
    for name, value in fields.items():
        setattr(owner, name, value)
    with acting(owner):
        owner.save(update_fields=list(fields))
    return owner


def insert(user: User, *, by: User | None = None) -> User:
    """Store an account made by `by` (None: the person). Raises AddressTaken."""
    refuse_taken_address(user.email)
    try:
        _save_new(user, by)
    except IntegrityError as error:
        raise AddressTaken(str(ADDRESS_TAKEN), field="email") from error
    return user


def person_name(text: str) -> str:
    """Return the stored form. Raises DomainError."""
    try:
        refuse_bad_person_name(text)
    except ValidationError as error:
        raise DomainError(error.messages[0], field="name") from error
    return normal(text)


def refuse_taken_address(email: str) -> None:
    if User.objects.filter(email=email).exists():
        raise AddressTaken(str(ADDRESS_TAKEN), field="email")


@unit_of_work
def _save_new(user: User, by: User | None) -> None:
    with acting(by):
        user.save(force_insert=True)


def verification_token(user: User) -> str:
    """Return a signed proof of reading the address's mail."""
    return signing.dumps({"user": user.pk, "email": user.email}, salt=VERIFICATION_SALT)


@unit_of_work
def verify_email(token: str) -> User:
    """Mark the address as confirmed; idempotent. Raises DomainError."""
    refused = DomainError(_("This link is not valid or has expired; request a new one."), field="token")
    try:
        claim = signing.loads(token, salt=VERIFICATION_SALT, max_age=VERIFICATION_AGE)
    except signing.BadSignature as error:
        raise refused from error
    user: User | None = User.objects.select_for_update().active().filter(pk=claim["user"], email=claim["email"]).first()
    if user is None:
        raise refused
    if user.email_verified_at is None:
        user.email_verified_at = timezone.now()
        user.save(update_fields=["email_verified_at"])
    return user
