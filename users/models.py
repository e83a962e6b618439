"""People, their sessions and tokens."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.auth.password_validation import validate_password
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.db import lookups  # noqa: F401 (they register themselves)
from core.text.names import NameField, PersonNameField
from users.addresses import AddressField, canonical
from users.permissions import role_allows, role_enters

COOKIE_SALT = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"


class Role(models.TextChoices):
    """See users.permissions."""

    REPORTER = "reporter", pgettext_lazy("role", "Reporter")
    RESPONDER = "responder", _("Responder")
    ADMIN = "admin", _("Administrator")


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> "UserQuerySet":
        """Select those who may sign in."""
        return self.filter(is_active=True)

    def admins(self) -> "UserQuerySet":
        return self.active().filter(role=Role.ADMIN)

    def can_respond(self) -> "UserQuerySet":
        """Select those whom incidents can be assigned to."""
        return self.active().filter(role__in=[Role.RESPONDER, Role.ADMIN])


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, username: str | None) -> "User":
        user: User = self.get(email=canonical(username or ""))
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user; without a password it is unusable."""
        user: User = self.model(email=canonical(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an administrator. Raises ValidationError for a weak password."""
        if password is not None:
            validate_password(password, self.model(email=canonical(email), **fields))
        return self.create_user(email, password, **{**fields, "role": Role.ADMIN})


class User(AbstractBaseUser):
    """A person: deactivated, never deleted, since history names them."""

    email = AddressField(_("email"), unique=True)
    name = PersonNameField(_("name"), max_length=150)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.REPORTER)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", help_text=_("IANA name, such as Europe/Zurich.")
    )
    language = models.CharField(max_length=16, default="en", help_text=_("Language of pages and messages."))
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Clear this instead of deleting the account.")
    )
    email_verified_at = models.DateTimeField(_("email verified at"), null=True, blank=True, editable=False)
    invited_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Rises when access ends, voiding older admin cookies.
    access_epoch = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    objects = UserManager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [models.Index(fields=["role", "is_active"], name="user_role")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def is_responder(self) -> bool:
        return self.role == Role.RESPONDER

    @property
    def is_staff(self) -> bool:
        return self.is_active and self.role in (Role.ADMIN, Role.RESPONDER)

    @property
    def is_superuser(self) -> bool:
        return self.is_active and self.is_admin

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        text = f"{self.password}|{self.access_epoch}" if self.access_epoch else self.password
        return salted_hmac(COOKIE_SALT, text, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return role_allows(self, perm)

    def has_perms(self, perms: Iterable[str], obj: object = None) -> bool:
        return all(role_allows(self, perm) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return role_enters(self, app_label)


class Session(models.Model):
    """An API sign-in: refresh tokens of which only the newest is good.

    `previous_jti` works for seconds after a rotation; older tokens revoke the session.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="sessions")
    current_jti = models.CharField(max_length=64)
    previous_jti = models.CharField(max_length=64, blank=True, default="")
    rotated_at = models.DateTimeField(_("rotated at"), null=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True)
    revoked_reason = models.CharField(_("revoked reason"), max_length=32, blank=True, default="")
    user_agent = models.CharField(_("user agent"), max_length=200, blank=True, default="")
    ip_address = models.GenericIPAddressField(_("IP address"), null=True)
    is_confirmed = models.BooleanField(default=False, help_text=_("Whether a second factor was given."))

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return f"session of {self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"


class BrowserSession(models.Model):
    """A sign-in with a browser: whose a cookie's session is, and where it was opened."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="browser_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    user_agent = models.CharField(max_length=200, blank=True, default="")
    ip_address = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"browser of {self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"


class AuthenticatorApp(models.Model):
    """A person's app for one-time codes (TOTP). `last_step` is the newest used: no code is good twice."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="authenticator_app")
    secret = models.CharField(max_length=300, help_text=_("Sealed; see users.sealing."))
    last_step = models.BigIntegerField(default=0)
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    wrong_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"authenticator app of {self.user_id}"


class SecurityKey(models.Model):
    """A passkey or security key (WebAuthn); `credential_key` is the SHA-256 of the credential's id."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="security_keys")
    name = NameField(max_length=60)
    host = models.CharField(max_length=253, help_text=_("The host name that it signs for."))
    credential_key = models.CharField(max_length=64, unique=True)
    credential = models.TextField()
    counter = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class ExternalIdentity(models.Model):
    """Whom an identity provider names; `key` is the SHA-256 of issuer and subject."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    provider = models.CharField(max_length=32)
    key = models.CharField(max_length=64, unique=True)
    email = AddressField()
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = _("external identities")

    def __str__(self) -> str:
        return f"{self.provider}: {self.email}"


class RecoveryCode(models.Model):
    """A code that stands in for a lost second factor, once; shown once, stored as a keyed digest."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class TokenScope(models.TextChoices):
    READ = "read", _("Read")
    WRITE = "write", _("Read and write")


class PersonalToken(models.Model):
    """A script's access token, shown once, stored as SHA-256."""

    user = models.ForeignKey(User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="tokens")
    name = NameField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=12, help_text=_("The first characters, to tell tokens apart."))
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(_("scope"), max_length=8, choices=TokenScope.choices, default=TokenScope.READ)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("personal token")
        verbose_name_plural = _("personal tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
