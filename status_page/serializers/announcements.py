"""Public incidents, maintenance and updates as the API shows and takes them."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import FlagField, LineField, TextField
from incidents.models import Incident
from status_page.models import PublicIncident, PublicUpdate
from status_page.serializers.fields import ComponentIdsField, TranslationsField
from status_page.vocabulary import INCIDENT_STATES, Impact, State
from users.models import User

TELL = _("Whether subscribers are told; they are unless you say no.")


class PublicUpdateSerializer(serializers.Serializer[Any]):
    """One message to the public."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=State.choices)
    impact = serializers.ChoiceField(choices=Impact.choices)
    message = serializers.CharField()
    translations = TranslationsField()
    at = serializers.DateTimeField()
    by = serializers.IntegerField(allow_null=True, help_text=_("Null for the server itself."))
    corrected_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField(help_text=_("How many texts it has had."))


class AnnouncementSerializer(serializers.Serializer[Any]):
    """An announcement without its updates."""

    id = serializers.IntegerField()
    uid = serializers.CharField(help_text=_("Names it in the page's addresses."))
    title = serializers.CharField()
    translations = TranslationsField()
    impact = serializers.ChoiceField(choices=Impact.choices)
    state = serializers.ChoiceField(choices=State.choices)
    components = ComponentIdsField()
    incident = serializers.IntegerField(
        allow_null=True, help_text=_("Null if there is none, or none that you may see.")
    )
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True, help_text=_("The planned end of maintenance."))
    ended_at = serializers.DateTimeField(allow_null=True)
    has_review = serializers.BooleanField()
    created_by = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()


class AnnouncementDetailSerializer(AnnouncementSerializer):
    """An announcement with its updates, the first one first."""

    updates = PublicUpdateSerializer(many=True)


class NewAnnouncementSerializer(StrictFields, serializers.Serializer[Any]):
    """What every announcement begins with; texts are in the page's main language."""

    title = LineField(max_length=200)
    message = TextField(max_length=10_000)
    components = ComponentIdsField(required=False)
    translations = TranslationsField(
        required=False, help_text=_('Of title and message: {"de": {"title": "…", "message": "…"}}.')
    )
    incident = serializers.CharField(
        required=False, allow_null=True, max_length=24, help_text=_("Number or reference of the incident it is about.")
    )
    tell = FlagField(required=False, help_text=TELL)


class NewPublicIncidentSerializer(NewAnnouncementSerializer):
    """An incident to publish."""

    impact = serializers.ChoiceField(choices=Impact.choices)
    state = serializers.ChoiceField(choices=INCIDENT_STATES, required=False)
    starts_at = serializers.DateTimeField(required=False, help_text=_("When it began; now if you leave it out."))


class NewMaintenanceSerializer(NewAnnouncementSerializer):
    """Maintenance to plan."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class AnnouncementChangeSerializer(StrictFields, serializers.Serializer[Any]):
    """A correction of an announcement."""

    title = LineField(max_length=200, required=False)
    translations = TranslationsField(required=False, help_text=_('Of the title: {"de": {"title": "…"}}.'))
    components = ComponentIdsField(required=False)


class PublicIncidentChangeSerializer(AnnouncementChangeSerializer):
    """A correction of a public incident."""

    impact = serializers.ChoiceField(choices=Impact.choices, required=False)


class MaintenanceChangeSerializer(AnnouncementChangeSerializer):
    """A correction of planned maintenance, or new times for it."""

    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)
    message = TextField(max_length=10_000, required=False, help_text=_("What to say of the new times."))
    tell = FlagField(required=False, help_text=TELL)


class NewUpdateSerializer(StrictFields, serializers.Serializer[Any]):
    """An update; what you leave out stays as it is."""

    message = TextField(max_length=10_000)
    translations = TranslationsField(required=False, help_text=_('Of the message: {"de": {"message": "…"}}.'))
    state = serializers.ChoiceField(choices=State.choices, required=False)
    impact = serializers.ChoiceField(choices=Impact.choices, required=False)
    components = ComponentIdsField(required=False)
    tell = FlagField(required=False, help_text=TELL)


class CorrectionSerializer(StrictFields, serializers.Serializer[Any]):
    """Another text for an update."""

    message = TextField(max_length=10_000, required=False)
    translations = TranslationsField(required=False)


def serialize_update(update: PublicUpdate) -> dict[str, Any]:
    """Return an update as `PublicUpdateSerializer` describes it."""
    names = ("id", "state", "impact", "message", "translations", "at", "corrected_at", "version")
    return {**{name: getattr(update, name) for name in names}, "by": update.by_id}


def serialize_announcement(row: PublicIncident, visible: Collection[int]) -> dict[str, Any]:
    """Return an announcement; `visible` are the incidents that the viewer sees."""
    names = ("id", "uid", "title", "impact", "state", "starts_at", "ends_at", "ended_at", "created_at", "version")
    titles = {code: {"title": texts["title"]} for code, texts in row.translations.items() if "title" in texts}
    return {
        **{name: getattr(row, name) for name in names},
        "translations": titles,
        "components": sorted(component.pk for component in row.components.all()),
        "incident": row.incident_id if row.incident_id in visible else None,
        "has_review": row.review_published_at is not None,
        "created_by": row.created_by_id,
    }


def serialize_in_full(row: PublicIncident, viewer: User) -> dict[str, Any]:
    """Return an announcement with its updates."""
    updates = [serialize_update(update) for update in row.updates.order_by("at", "id")]
    return {**serialize_announcement(row, visible_incidents([row], viewer)), "updates": updates}


def visible_incidents(rows: Collection[PublicIncident], viewer: User) -> frozenset[int]:
    """Return which of the announcements' incidents the viewer sees."""
    ids = {row.incident_id for row in rows if row.incident_id is not None}
    seen = Incident.objects.visible_to(viewer).filter(pk__in=ids).order_by().values_list("pk", flat=True)
    return frozenset(seen) if ids else frozenset()
