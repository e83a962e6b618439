from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.paging import Key, page_of
from core.errors import NotFound
from notifications.models import ContactMethod, NotificationRule
from notifications.serializers import contacts as shapes
from notifications.serializers.ledger import DeliverySerializer, serialize_delivery
from notifications.services import methods, rules
from notifications.vocabulary import Importance
from users.authentication import NotByPersonalToken, person

ID = OpenApiParameter("method_id", OpenApiTypes.INT, OpenApiParameter.PATH)
IMPORTANCE = OpenApiParameter("importance", str, OpenApiParameter.PATH, enum=Importance.values)


class ContactMethodViewSet(ViewSet):
    """Your contact methods: where you can be reached. Codes are never stored, so that a repeated POST is refused."""

    permission_classes = [IsAuthenticated, NotByPersonalToken]
    lookup_url_kwarg = "method_id"
    lookup_value_regex = "[0-9]{1,18}"
    orderings = {"id": [Key("id")]}
    default_ordering = "id"

    @extend_schema(
        operation_id="me_contact_methods_list",
        summary=_("List your contact methods"),
        responses=shapes.ContactMethodPageSerializer,
    )
    def list(self, request: Request) -> Response:
        mine = ContactMethod.objects.filter(user=person(request))
        return page_of(mine, request, self, lambda rows: [shapes.serialize_method(row) for row in rows])

    @extend_schema(
        operation_id="me_contact_methods_create",
        summary=_("Add a contact method; a code is sent to it"),
        request=shapes.NewContactMethodSerializer,
        responses={201: shapes.AddedMethodSerializer},
    )
    def create(self, request: Request) -> Response:
        added = methods.add_method(person(request), **_valid(shapes.NewContactMethodSerializer, request))
        body = {**shapes.serialize_method(added.method), "link_code": added.code, "secret": added.secret}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})

    @extend_schema(
        operation_id="me_contact_methods_retrieve",
        summary=_("Get a contact method"),
        parameters=[ID],
        responses=shapes.ContactMethodSerializer,
    )
    def retrieve(self, request: Request, method_id: str) -> Response:
        return Response(shapes.serialize_method(own_method(request, method_id)))

    @extend_schema(
        operation_id="me_contact_methods_partial_update",
        summary=_("Rename a contact method"),
        parameters=[ID],
        request=shapes.MethodLabelSerializer,
        responses=shapes.ContactMethodSerializer,
    )
    def partial_update(self, request: Request, method_id: str) -> Response:
        method = own_method(request, method_id)
        methods.rename(method, **_valid(shapes.MethodLabelSerializer, request))
        return Response(shapes.serialize_method(method))

    @extend_schema(
        operation_id="me_contact_methods_destroy",
        summary=_("Remove a contact method"),
        parameters=[ID],
        responses={204: None},
    )
    def destroy(self, request: Request, method_id: str) -> Response:
        methods.remove_method(own_method(request, method_id))
        return Response(status=204)

    @extend_schema(
        operation_id="me_contact_methods_verify",
        summary=_("Verify a contact method by its code"),
        parameters=[ID],
        request=shapes.CodeSerializer,
        responses=shapes.ContactMethodSerializer,
    )
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, method_id: str) -> Response:
        method = own_method(request, method_id)
        code = _valid(shapes.CodeSerializer, request)["code"]
        return Response(shapes.serialize_method(methods.verify(method, code)))

    @extend_schema(
        operation_id="me_contact_methods_code",
        summary=_("Send a new code to a contact method"),
        parameters=[ID],
        request=None,
        responses={202: shapes.ContactMethodSerializer},
    )
    @action(detail=True, methods=["post"])
    def code(self, request: Request, method_id: str) -> Response:
        method = own_method(request, method_id)
        methods.send_code(method)
        return Response(shapes.serialize_method(method), status=202)

    @extend_schema(
        operation_id="me_contact_methods_test",
        summary=_("Send a test message to a contact method"),
        parameters=[ID],
        request=None,
        responses={202: DeliverySerializer},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, method_id: str) -> Response:
        return Response(serialize_delivery(methods.send_test(own_method(request, method_id))), status=202)

    @extend_schema(
        operation_id="me_contact_methods_link",
        summary=_("Link the chat account that showed you this code"),
        request=shapes.CodeSerializer,
        responses={201: shapes.ContactMethodSerializer},
    )
    @action(detail=False, methods=["post"])
    def link(self, request: Request) -> Response:
        code = _valid(shapes.CodeSerializer, request)["code"]
        return Response(shapes.serialize_method(methods.accept_link_code(person(request), code)), status=201)


class NotificationRuleViewSet(IdempotentWrites, ViewSet):
    """Your rules, one per importance; without one, every verified method is used at once."""

    permission_classes = [IsAuthenticated, NotByPersonalToken]
    lookup_url_kwarg = "importance"
    lookup_value_regex = "[^/]+"
    orderings = {"importance": [Key("importance")]}
    default_ordering = "importance"

    @extend_schema(
        operation_id="me_notification_rules_list",
        summary=_("List your notification rules"),
        responses=shapes.NotificationRulePageSerializer,
    )
    def list(self, request: Request) -> Response:
        mine = NotificationRule.objects.filter(user=person(request))
        return page_of(mine, request, self, lambda rows: [shapes.serialize_rule(row) for row in rows])

    @extend_schema(
        operation_id="me_notification_rules_create",
        summary=_("Set your rule for an importance"),
        request=shapes.NotificationRuleSerializer,
        responses={201: shapes.NotificationRuleSerializer},
    )
    def create(self, request: Request) -> Response:
        rule = rules.set_rule(person(request), **_valid(shapes.NotificationRuleSerializer, request))
        return Response(shapes.serialize_rule(rule), status=201)

    @extend_schema(
        operation_id="me_notification_rules_retrieve",
        summary=_("Get your rule for an importance"),
        parameters=[IMPORTANCE],
        responses=shapes.NotificationRuleSerializer,
    )
    def retrieve(self, request: Request, importance: str) -> Response:
        return Response(shapes.serialize_rule(own_rule(request, importance)))

    @extend_schema(
        operation_id="me_notification_rules_destroy",
        summary=_("Delete your rule for an importance"),
        parameters=[IMPORTANCE],
        responses={204: None},
    )
    def destroy(self, request: Request, importance: str) -> Response:
        rules.delete_rule(own_rule(request, importance))
        return Response(status=204)


def _valid(form: Any, request: Request) -> dict[str, Any]:
    bound = form(data=request.data)
    bound.is_valid(raise_exception=True)
    return dict(bound.validated_data)


def own_method(request: Request, method_id: str) -> ContactMethod:
    """Return a contact method of the caller. Raises NotFound for others'."""
    mine = ContactMethod.objects.filter(user=person(request), pk=int(method_id)).select_related("user").first()
    if mine is None:
        raise NotFound(gettext("You have no such contact method."))
    return mine


def own_rule(request: Request, importance: str) -> NotificationRule:
    """Return a rule of the caller. Raises NotFound."""
    rule = NotificationRule.objects.filter(user=person(request), importance=importance).first()
    if rule is None:
        raise NotFound(gettext("You have no such rule."))
    return rule
