"""Saved views over REST."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from console import saved_views
from console.models import SavedView
from console.serializers import SavedViewSerializer, fields_of
from core.api.idempotency import IdempotentWrites
from core.api.paging import Key
from core.api.problems import refuse_unknown_parameters
from users.authentication import person


@extend_schema_view(
    list=extend_schema(operation_id="saved_views_list", summary=_("List your saved views")),
    retrieve=extend_schema(operation_id="saved_views_retrieve", summary=_("Get a saved view")),
    create=extend_schema(operation_id="saved_views_create", summary=_("Save a view of the incident list")),
    update=extend_schema(
        operation_id="saved_views_update",
        summary=_("Replace a saved view"),
        description=_("Omitted fields stay as they are."),
    ),
    partial_update=extend_schema(operation_id="saved_views_partial_update", summary=_("Update a saved view")),
    destroy=extend_schema(operation_id="saved_views_destroy", summary=_("Delete a saved view")),
)
class SavedViewViewSet(
    IdempotentWrites,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet[SavedView],
):
    """Your own named queries of the incident list."""

    queryset = SavedView.objects.none()
    serializer_class = SavedViewSerializer
    lookup_value_regex = "[0-9]{1,18}"
    orderings = {"id": [Key("id")]}
    default_ordering = "id"

    def get_queryset(self) -> QuerySet[SavedView]:
        return SavedView.objects.filter(user=person(self.request)) if self.request else self.queryset

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if self.action == "list":
            refuse_unknown_parameters(request, {"cursor", "page_size", "ordering"})

    def perform_create(self, serializer: SavedViewSerializer) -> None:  # type: ignore[override]
        fields = fields_of(SavedView(), serializer.validated_data)
        serializer.instance = saved_views.save_view(person(self.request), **fields)

    def perform_update(self, serializer: SavedViewSerializer) -> None:  # type: ignore[override]
        view: SavedView = serializer.instance  # type: ignore[assignment]  # an update has one
        fields = fields_of(view, serializer.validated_data)
        serializer.instance = saved_views.save_view(person(self.request), pk=view.pk, **fields)

    def perform_destroy(self, instance: SavedView) -> None:
        saved_views.delete_view(person(self.request), instance.pk)


router = SimpleRouter()
router.register("saved-views", SavedViewViewSet, basename="saved-view")
