"""Routes of categories and SLA policies."""

from core.api.configuration import ConfigurationViewSet
from core.api.paging import Key
from incidents.models import Category, SlaPolicy
from incidents.serializers.configuration import CategorySerializer, SlaPolicySerializer


class CategoryViewSet(ConfigurationViewSet):
    """Categories."""

    queryset = Category.objects.all()
    serializer_class = CategorySerializer


class SlaPolicyViewSet(ConfigurationViewSet):
    """SLA policies: one per severity, and optionally one per severity and category."""

    queryset = SlaPolicy.objects.select_related("category")
    serializer_class = SlaPolicySerializer
    orderings = {"severity": [Key("severity")], "name": [Key("name")], "id": [Key("id")]}
    default_ordering = "-severity"
