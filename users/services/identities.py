"""People whom identity providers name: known again, linked by verified address, or new."""

import hashlib

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import DomainError, NotFound, PermissionRefused
from core.text.languages import spoken
from users import audit
from users.addresses import canonical
from users.models import ExternalIdentity, Role, User
from users.oidc.protocol import Identity
from users.oidc.providers import Provider
from users.services.accounts import insert, person_name
from users.services.claiming import take_from_stranger


class EntryRefused(PermissionRefused):
    code = "entry_refused"
    title = "Sign-in failed"


def person_of(provider: Provider, identity: Identity) -> User:
    """Return whose identity it is, linked or registered as a reporter where allowed. Raises EntryRefused."""
    try:
        return _person_of(provider, identity)
    except IntegrityError:  # the same person in two tabs
        return _person_of(provider, identity)


@unit_of_work
def _person_of(provider: Provider, identity: Identity) -> User:
    now = timezone.now()
    known = ExternalIdentity.objects.select_related("user").filter(key=key_of(provider, identity.subject)).first()
    if known is not None:
        known.last_used_at = now
        known.save(update_fields=["last_used_at"])
        return _active(known.user)
    email = canonical(identity.email)
    if not email:
        raise EntryRefused(_("%(name)s did not say that your e-mail address is verified.") % {"name": provider.title})
    _refuse_domain(email)
    user = User.objects.select_for_update().filter(email=email).first()
    user = _claimed(_active(user)) if user is not None else _registered(email, identity.name)
    ExternalIdentity.objects.create(
        user=user, provider=provider.name, key=key_of(provider, identity.subject), email=email, last_used_at=now
    )
    audit.record(user, "identity_linked", provider=provider.name)
    return user


def key_of(provider: Provider, subject: str) -> str:
    return hashlib.sha256(f"{provider.issuer}\n{subject}".encode()).hexdigest()


def _active(user: User) -> User:
    if not user.is_active:
        raise EntryRefused(_("This account is not active."))
    return user


def _refuse_domain(email: str) -> None:
    allowed = {domain.lower().lstrip("@") for domain in settings.OIDC_EMAIL_DOMAINS}
    if allowed and email.rpartition("@")[2] not in allowed:
        raise EntryRefused(_("Addresses of this domain cannot sign in here."))


def _claimed(user: User) -> User:
    """Take from whoever registered an address that they never proved, now that its owner is here."""
    if user.email_verified_at is not None:
        return user
    if take_from_stranger(user):
        user.set_unusable_password()
    user.email_verified_at = timezone.now()
    user.save(update_fields=["email_verified_at", "password"])
    return user


def _registered(email: str, name: str) -> User:
    if not settings.OIDC_REGISTRATION:
        raise EntryRefused(_("Nobody here has your address. Ask an administrator for an account."))
    user = User(
        email=email,
        name=_usable_name(name, email),
        role=Role.REPORTER,
        email_verified_at=timezone.now(),
        language=spoken(get_language() or ""),
    )
    user.set_unusable_password()
    return insert(user)


def _usable_name(name: str, email: str) -> str:
    for text in (name[:150], email.partition("@")[0].replace(".", " ")):
        try:
            return person_name(text)
        except DomainError:
            continue
    return "Reporter"


@unit_of_work
def unlink(user: User, identity_id: int) -> None:
    """Forget one of one's identities. Raises NotFound."""
    owner = User.objects.select_for_update().get(pk=user.pk)
    found = ExternalIdentity.objects.filter(user=owner, pk=identity_id).first()
    if found is None:
        raise NotFound(_("You have no such identity."))
    found.delete()
    audit.record(owner, "identity_unlinked", provider=found.provider)
