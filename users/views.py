"""Accounts, sessions and tokens over HTTP."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView

from core.api.idempotency import IdempotentWrites
from core.api.paging import Key, KeysetPagination
from core.api.permissions import IsAdmin, IsResponder
from core.api.problems import refuse, refuse_unknown_parameters
from core.text.languages import accepted
from users import serializers, services
from users.authentication import NotByPersonalToken
from users.leaving import losses_of
from users.models import PersonalToken, Role, Session, User
from users.throttling import AddressRate

BUSY = "Too many passwords are being checked; see Retry-After."


class OpenView(APIView):
    """Requires no authentication; an invalid `Authorization` header is ignored."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_classes: list[Any] = [AddressRate]
    throttle_scope: str
    serializer_class: type[Serializer[Any]]

    def form(self, request: Request) -> dict[str, Any]:
        """Return the valid form, or answer 400."""
        form = self.serializer_class(data=request.data)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)


def tokens_of(pair: services.TokenPair) -> Response:
    """Return an uncacheable pair of tokens."""
    return Response({"access": pair.access, "refresh": pair.refresh}, headers={"Cache-Control": "no-store"})


class RegisterView(OpenView):
    throttle_scope = "register"
    serializer_class = serializers.RegistrationSerializer
    schema_errors = {"403": "Registration is closed.", "409": None, "503": BUSY}

    @extend_schema(
        summary=_("Register as a reporter"),
        request=serializers.RegistrationSerializer,
        responses={201: serializers.ProfileSerializer},
    )
    def post(self, request: Request) -> Response:
        language = accepted(request.headers.get("Accept-Language", ""))
        user = services.register(**{"language": language, **self.form(request)})
        return Response(serializers.ProfileSerializer(user).data, status=201)


class TokenView(OpenView):
    throttle_scope = "token"
    serializer_class = serializers.CredentialsSerializer
    schema_errors = {
        "401": "Incorrect email or password; `otp_required`: a second factor is set; `otp_invalid`: its code is wrong.",
        "409": None,
        "503": BUSY,
    }

    @extend_schema(
        summary=_("Sign in"),
        request=serializers.CredentialsSerializer,
        responses={200: serializers.TokenPairSerializer},
    )
    def post(self, request: Request) -> Response:
        return tokens_of(services.sign_in(request._request, **self.form(request)))


class RefreshView(OpenView):
    throttle_scope = "refresh"
    serializer_class = serializers.RefreshSerializer
    schema_errors = {"401": "The refresh token is invalid or already used, or its session has ended.", "409": None}

    @extend_schema(
        summary=_("Exchange a refresh token for a new pair"),
        request=serializers.RefreshSerializer,
        responses={200: serializers.TokenPairSerializer},
    )
    def post(self, request: Request) -> Response:
        return tokens_of(services.refresh(self.form(request)["refresh"]))


class LogoutView(APIView):
    @extend_schema(summary=_("Sign out"), request=serializers.SignOutSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        form = serializers.SignOutSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        session = session_of(request)
        token = form.validated_data.get("refresh", "")
        if session is None and not token:
            refuse("refresh", "Name the session to end.", "required")
        services.sign_out(_me(request), session=session, token=token)
        return Response(status=204)


def session_of(request: Request) -> Session | None:
    """Return the request's session, if any."""
    return request.auth if isinstance(request.auth, Session) else None


class ProfileView(IdempotentWrites, generics.GenericAPIView[User]):
    """Your account."""

    serializer_class = serializers.ProfileSerializer

    @extend_schema(summary=_("Get your account"))
    def get(self, request: Request) -> Response:
        return Response(self.get_serializer(request.user).data)

    @extend_schema(
        summary=_("Update your name, time zone or language"),
        description="The language is that of pages and messages; the API itself speaks English.",
    )
    def patch(self, request: Request) -> Response:
        form = self.get_serializer(request.user, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        form.save()
        return Response(form.data)


class PasswordView(APIView):
    permission_classes = [IsAuthenticated, NotByPersonalToken]
    schema_errors = {"503": BUSY}

    @extend_schema(
        summary=_("Change your password; other sessions end, and personal access tokens unless you keep them"),
        request=serializers.PasswordChangeSerializer,
        responses={200: serializers.TokenPairSerializer},
    )
    def post(self, request: Request) -> Response:
        form = serializers.PasswordChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        pair = services.change_password(
            _me(request),
            current=form.validated_data["current_password"],
            new=form.validated_data["new_password"],
            session=session_of(request),
            keep_tokens=form.validated_data["keep_tokens"],
        )
        return tokens_of(pair)


class PasswordResetView(OpenView):
    throttle_scope = "password_reset"
    serializer_class = serializers.PasswordResetSerializer
    schema_errors = {"409": None}

    @extend_schema(
        summary=_("Request a password reset"),
        request=serializers.PasswordResetSerializer,
        responses={202: serializers.AcceptedSerializer},
    )
    def post(self, request: Request) -> Response:
        services.request_password_reset(**self.form(request))
        return Response({"detail": "If an account with this address exists, an email is on its way."}, status=202)


class PasswordResetConfirmView(OpenView):
    throttle_scope = "password_reset_confirm"
    serializer_class = serializers.PasswordResetConfirmSerializer
    schema_errors = {"409": None, "503": BUSY}

    @extend_schema(
        summary=_("Reset a password; all sessions and personal access tokens end"),
        request=serializers.PasswordResetConfirmSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        form = self.form(request)
        services.reset_password(uid=form["uid"], token=form["token"], new=form["new_password"])
        return Response(status=204)


class VerifyEmailView(OpenView):
    throttle_scope = "verify_email"
    serializer_class = serializers.VerifyEmailSerializer
    schema_errors = {"409": None}

    @extend_schema(
        summary=_("Verify an email address"), request=serializers.VerifyEmailSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        services.verify_email(self.form(request)["token"])
        return Response(status=204)


class PersonalTokenListView(generics.GenericAPIView[PersonalToken]):
    """Your personal access tokens. A repeated POST creates another: responses with secrets are never stored."""

    serializer_class = serializers.PersonalTokenSerializer
    permission_classes = [IsAuthenticated, NotByPersonalToken]
    orderings = {"id": [Key("id")]}
    default_ordering = "-id"

    def get_queryset(self) -> QuerySet[PersonalToken]:
        return PersonalToken.objects.filter(user=_me(self.request))

    @extend_schema(
        summary=_("List your personal access tokens"),
        responses=serializers.PersonalTokenSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, KeysetPagination.parameters)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        summary=_("Create a personal access token"),
        description="`token` is shown only once. Send `Authorization: Token <token>` to use it.",
        responses={201: serializers.NewPersonalTokenSerializer},
    )
    def post(self, request: Request) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        row, token = services.create_personal_token(_me(request), session=session_of(request), **form.validated_data)
        body = serializers.NewPersonalTokenSerializer(row, context={"token": token}).data
        return Response(body, status=201, headers={"Cache-Control": "no-store"})


class PersonalTokenView(IdempotentWrites, generics.GenericAPIView[PersonalToken]):
    """One of your personal access tokens."""

    permission_classes = [IsAuthenticated, NotByPersonalToken]
    serializer_class = serializers.PersonalTokenSerializer
    queryset = PersonalToken.objects.all()

    @extend_schema(summary=_("Revoke a personal access token"), responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        services.delete_personal_token(_one(PersonalToken.objects.filter(user=_me(request)), pk))
        return Response(status=204)


class UserListView(generics.GenericAPIView[User]):
    permission_classes = [IsResponder]
    orderings = {"name": [Key("name")], "id": [Key("id")]}
    default_ordering = "name"

    def get_queryset(self) -> QuerySet[User]:
        return people_seen_by(_me(self.request))

    def get_serializer_class(self) -> type[BaseSerializer[User]]:
        return person_serializer(self.request.user)

    @extend_schema(
        summary=_("List users"),
        description="Responders see active users by id, name and teams; administrators see all users in full.",
        parameters=[
            OpenApiParameter("q", str, description="Part of the name."),
            OpenApiParameter("team", int, description="Members of this team."),
            OpenApiParameter("role", str, enum=Role.values, description="For administrators."),
            OpenApiParameter("is_active", bool, description="For administrators."),
        ],
        responses=serializers.ListedUserSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(narrowed(self.get_queryset(), request).prefetch_related("teams"))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class UserView(IdempotentWrites, generics.GenericAPIView[User]):
    """A user account; administrators only."""

    permission_classes = [IsAdmin]
    serializer_class = serializers.UserSerializer
    queryset = User.objects.all()

    @extend_schema(summary=_("Get a user"))
    def get(self, request: Request, pk: int) -> Response:
        return Response(self.get_serializer(_one(self.get_queryset(), pk)).data)

    @extend_schema(
        summary=_("Update a user's role, or whether they can sign in"),
        request=serializers.AccessSerializer,
        responses={200: serializers.UserSerializer},
    )
    def patch(self, request: Request, pk: int) -> Response:
        user = _one(self.get_queryset(), pk)
        form = serializers.AccessSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = services.set_access(user, by=_me(request), **form.validated_data)
        return Response(self.get_serializer(user).data)


class DeactivationView(generics.GenericAPIView[User]):
    """What deactivating somebody now would lose; administrators only."""

    permission_classes = [IsAdmin]
    serializer_class = serializers.DeactivationSerializer
    queryset = User.objects.all()

    @extend_schema(operation_id="users_deactivation", summary=_("Preview a user's deactivation"))
    def get(self, request: Request, pk: int) -> Response:
        losses = losses_of(_one(self.get_queryset(), pk), timezone.now())
        return Response(self.get_serializer({"losses": losses}).data)


def people_seen_by(user: User) -> QuerySet[User]:
    """Return the people listed for this user."""
    people: QuerySet[User] = User.objects.all()
    return people if user.is_admin else people.filter(is_active=True)


def person_serializer(user: User | AnonymousUser) -> type[BaseSerializer[User]]:
    """Return the serializer for this reader."""
    is_admin = isinstance(user, User) and user.is_admin
    return serializers.UserSerializer if is_admin else serializers.PersonSerializer


def narrowed(people: QuerySet[User], request: Request) -> QuerySet[User]:
    """Apply the filters, or answer 400."""
    filters = {"q", "team"} | ({"role", "is_active"} if _me(request).is_admin else set())
    refuse_unknown_parameters(request, filters | KeysetPagination.parameters)
    given = request.query_params
    if text := given.get("q"):
        people = people.filter(name__icontains=text)
    if "team" in given:
        people = people.filter(teams=_number(given["team"]))
    if "role" in given:
        if given["role"] not in Role.values:
            refuse("role", f"Must be one of {', '.join(Role.values)}.")
        people = people.filter(role=given["role"])
    if "is_active" in given:
        if given["is_active"] not in ("true", "false"):
            refuse("is_active", "Must be true or false.")
        people = people.filter(is_active=given["is_active"] == "true")
    return people


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        refuse("team", "Must be the id of a team.")
    return int(text)


def _me(request: Any) -> User:
    user: User = request.user
    return user


def _one(rows: QuerySet[Any], pk: int) -> Any:
    row = rows.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound
    return row
