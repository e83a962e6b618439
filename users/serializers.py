from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django.db import models
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty

from core.api.configuration import StrictFields
from core.text.languages import codes
from core.text.names import refuse_bad_person_name
from users.models import PersonalToken, Role, TokenScope, User
from users.passwords import WeakPassword, refuse_weak_password
from users.services.accounts import edit_profile


def password_field(**options: Any) -> serializers.CharField:
    """Return a password field: untrimmed, write-only, and bounded against costly hashing."""
    return serializers.CharField(max_length=256, trim_whitespace=False, write_only=True, **options)


class UserTeamSerializer(serializers.Serializer[Any]):
    """A person's team."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class PersonSerializer(serializers.ModelSerializer[User]):
    """A person, as colleagues see them."""

    teams = UserTeamSerializer(many=True, read_only=True)

    class Meta:
        model = User
        fields = ["id", "name", "teams"]


class UserSerializer(PersonSerializer):
    """A person, as administrators see them."""

    class Meta(PersonSerializer.Meta):
        fields = [
            *["id", "name", "teams", "email", "role", "is_active", "time_zone", "language"],
            *["email_verified_at", "last_login", "created_at"],
        ]


class ListedUserSerializer(UserSerializer):
    """A listed person: responders see names, administrators everything."""

    class Meta(UserSerializer.Meta):
        # Only administrators see these.
        extra_kwargs = {
            name: {"required": False, "read_only": False}
            for name in UserSerializer.Meta.fields
            if name not in PersonSerializer.Meta.fields
        }


class AccessSerializer(StrictFields, serializers.Serializer[Any]):
    """An administrator's changes to an account."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)


class LossSerializer(serializers.Serializer[Any]):
    """Something that nobody, or somebody else (`is_covered`), would have."""

    what = serializers.CharField()
    vars()["from"] = serializers.DateTimeField(source="starts_at")
    to = serializers.DateTimeField(source="ends_at")
    is_covered = serializers.BooleanField()


class DeactivationSerializer(serializers.Serializer[Any]):
    """What a deactivation would lose, in order."""

    losses = LossSerializer(many=True)


def known_language(value: str) -> str:
    """Return a code. Raises ValidationError for a language that there are no pages in."""
    if value not in codes():
        raise serializers.ValidationError(f"Must be one of {', '.join(codes())}.")
    return value


class ProfileSerializer(StrictFields, serializers.ModelSerializer[User]):
    """One's own account."""

    teams = UserTeamSerializer(many=True, read_only=True)

    class Meta:
        model = User
        fields = ["id", "email", "name", "role", "time_zone", "language", "teams", "email_verified_at", "created_at"]
        read_only_fields = ["id", "email", "role", "teams", "email_verified_at", "created_at"]

    def validate_time_zone(self, value: str) -> str:
        if value not in available_timezones():
            raise serializers.ValidationError("Unknown time zone; use a name such as Europe/Zurich.")
        return value

    def validate_language(self, value: str) -> str:
        return known_language(value)

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        return edit_profile(instance, **validated_data)


class RegistrationSerializer(StrictFields, serializers.Serializer[Any]):
    """A new account."""

    email = serializers.EmailField(max_length=254)
    password = password_field()
    name = serializers.CharField(max_length=150, validators=[refuse_bad_person_name])
    language = serializers.CharField(
        max_length=16, required=False, help_text="Of pages and messages; by default, what Accept-Language asks for."
    )

    def validate_language(self, value: str) -> str:
        return known_language(value)

    def run_validation(self, data: Any = empty) -> Any:
        """Validate, reporting a weak password with all other errors."""
        try:
            return super().run_validation(data)
        except serializers.ValidationError as error:
            if isinstance(data, Mapping) and "password" not in error.detail:
                person = User(email=str(data.get("email", "")), name=str(data.get("name", "")))
                try:
                    refuse_weak_password(str(data["password"]), person, field="password")
                except WeakPassword as weak:
                    error.detail["password"] = [ErrorDetail(weak.message, weak.code)]
            raise


class CredentialsSerializer(serializers.Serializer[Any]):
    """Credentials; the address only has to be the right one."""

    email = serializers.CharField(max_length=254, write_only=True)
    password = password_field()
    otp = serializers.CharField(
        max_length=32,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text="Where a second factor is set: the code of the authenticator app, or a recovery code.",
    )


class RefreshSerializer(serializers.Serializer[Any]):
    """A refresh token."""

    refresh = serializers.CharField(max_length=2000, write_only=True)


class SignOutSerializer(StrictFields, serializers.Serializer[Any]):
    """A refresh token of the session to end; by default, the request's own session ends."""

    refresh = serializers.CharField(max_length=2000, write_only=True, required=False)


class TokenPairSerializer(serializers.Serializer[Any]):
    """A session's tokens. A refresh token works once; each use returns the next."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class PasswordChangeSerializer(serializers.Serializer[Any]):
    """The current and the new password."""

    current_password = password_field()
    new_password = password_field()
    keep_tokens = serializers.BooleanField(
        default=False, help_text="Whether to keep personal access tokens; they are revoked by default."
    )


class PasswordResetSerializer(serializers.Serializer[Any]):
    """The address of the account."""

    email = serializers.EmailField(max_length=254, write_only=True)


class PasswordResetConfirmSerializer(serializers.Serializer[Any]):
    """The values from the mail, and the new password."""

    uid = serializers.CharField(max_length=64, write_only=True)
    token = serializers.CharField(max_length=200, write_only=True)
    new_password = password_field()


class VerifyEmailSerializer(serializers.Serializer[Any]):
    """The values from the mail."""

    token = serializers.CharField(max_length=2000, write_only=True)


class AcceptedSerializer(serializers.Serializer[Any]):
    """A message for people."""

    detail = serializers.CharField()


class PersonalTokenSerializer(StrictFields, serializers.ModelSerializer[PersonalToken]):
    """A personal access token, without the token itself."""

    scope = serializers.ChoiceField(choices=TokenScope.choices, default=TokenScope.READ)

    class Meta:
        model = PersonalToken
        fields = ["id", "name", "prefix", "scope", "created_at", "expires_at", "last_used_at"]
        read_only_fields = ["prefix", "created_at", "last_used_at"]

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("Must be in the future.")
        return value


class NewPersonalTokenSerializer(PersonalTokenSerializer):
    """A new token; `token` is shown only now."""

    token = serializers.SerializerMethodField()

    class Meta(PersonalTokenSerializer.Meta):
        fields = [*PersonalTokenSerializer.Meta.fields, "token"]

    @extend_schema_field(serializers.CharField())
    def get_token(self, row: models.Model) -> str:
        return str(self.context["token"])
