"""The page, groups, components and templates as the API shows and takes them."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer, StrictFields
from core.api.fields import MAX_ID, LineField, TextField
from responders.models import Service
from status_page.models import Component, ComponentGroup, StatusPage, UpdateTemplate
from status_page.serializers.fields import TranslationsField
from status_page.services import components, templates
from status_page.services.components import LAST_POSITION
from status_page.vocabulary import Impact, Kind, State
from users.models import User


class StatusPageSerializer(StrictFields, serializers.ModelSerializer[StatusPage]):
    """How the page presents itself; the first language is the main one."""

    name = LineField(max_length=100)
    about = TextField(max_length=2000, allow_blank=True)
    support_url = LineField(max_length=500, allow_blank=True, help_text=_("The address of a page, or empty."))
    languages = serializers.ListField(child=serializers.CharField(max_length=8), max_length=20)
    translations = TranslationsField()
    has_logo = serializers.SerializerMethodField()
    has_access_key = serializers.SerializerMethodField()

    class Meta:
        model = StatusPage
        fields = [
            *("name", "about", "support_url", "languages", "time_zone", "translations"),
            *("is_private", "takes_subscribers", "has_logo", "has_access_key"),
            *("revision", "written_revision", "written_at"),
        ]
        read_only_fields = ["revision", "written_revision", "written_at"]

    def get_has_logo(self, page: StatusPage) -> bool:
        return bool(page.logo)

    def get_has_access_key(self, page: StatusPage) -> bool:
        return bool(page.access_digest)


class LogoSerializer(StrictFields, serializers.Serializer[Any]):
    """A picture."""

    logo = serializers.FileField(help_text=_("PNG, JPEG, WebP or GIF, at most 5 MB."))


class AccessKeySerializer(serializers.Serializer[Any]):
    """The key that opens the private page; shown once."""

    key = serializers.CharField(read_only=True)


class ServicedSerializer(CleanedModelSerializer):
    """Configuration that services write."""

    @property
    def by(self) -> User:
        user: User = self.context["request"].user
        return user


class ComponentGroupSerializer(ServicedSerializer):
    """A group of components."""

    position = serializers.IntegerField(min_value=0, max_value=LAST_POSITION, required=False)
    translations = TranslationsField(required=False)

    class Meta:
        model = ComponentGroup
        fields = ["id", "name", "position", "translations"]

    def create(self, validated_data: dict[str, Any]) -> ComponentGroup:
        return components.add_group(by=self.by, values=validated_data)

    def update(self, instance: Any, validated_data: dict[str, Any]) -> ComponentGroup:
        return components.edit_group(instance, by=self.by, changes=validated_data)


class GroupNameField(LineField):
    """A group by its name."""

    def to_representation(self, value: Any) -> str:
        return str(value.name)


class ComponentSerializer(ServicedSerializer):
    """Something whose state the public is told."""

    group = GroupNameField(
        max_length=100, required=False, allow_null=True, help_text=_("A name; a group of it is made if there is none.")
    )
    service = serializers.SlugRelatedField[Service](
        slug_field="slug", queryset=Service.objects.active(), required=False, allow_null=True
    )
    position = serializers.IntegerField(min_value=0, max_value=LAST_POSITION, required=False)
    translations = TranslationsField(required=False)
    status = serializers.SerializerMethodField()

    class Meta:
        model = Component
        fields = [
            *("id", "name", "description", "group", "service", "position", "translations"),
            *("shows_uptime", "is_active", "status", "created_at"),
        ]
        read_only_fields = ["created_at"]

    @extend_schema_field(serializers.ChoiceField(choices=Impact.choices))
    def get_status(self, component: Component) -> str:
        context: dict[str, Any] = self.context  # type: ignore[assignment]  # the view's own
        if "statuses" not in context:
            context["statuses"] = components.statuses()
        return str(context["statuses"].get(component.pk, Impact.OPERATIONAL))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Leave a group's name to the service: there may be no such row yet."""
        named = {name: attrs.pop(name) for name in ("group",) if name in attrs}
        return {**super().validate(attrs), **named}

    def create(self, validated_data: dict[str, Any]) -> Component:
        return components.add_component(by=self.by, values=validated_data)

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Component:
        return components.edit_component(instance, by=self.by, changes=validated_data)


class ComponentOrderSerializer(StrictFields, serializers.Serializer[Any]):
    """The ids of all components, in their new order."""

    ids = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=MAX_ID), max_length=10_000)


class UpdateTemplateSerializer(ServicedSerializer):
    """A text to begin an announcement with."""

    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    state = serializers.ChoiceField(choices=State.choices, required=False, allow_blank=True)
    title = LineField(max_length=200, required=False, allow_blank=True)
    message = TextField(max_length=10_000, required=False, allow_blank=True)
    translations = TranslationsField(required=False)

    class Meta:
        model = UpdateTemplate
        fields = ["id", "name", "kind", "state", "title", "message", "translations"]

    def create(self, validated_data: dict[str, Any]) -> UpdateTemplate:
        return templates.add_template(by=self.by, values=validated_data)

    def update(self, instance: Any, validated_data: dict[str, Any]) -> UpdateTemplate:
        return templates.edit_template(instance, by=self.by, changes=validated_data)
