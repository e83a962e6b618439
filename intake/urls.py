"""The API's routes; those of senders' endpoints are `intake.http.sender_patterns`."""

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from intake.views import IntakeEventViewSet

router = SimpleRouter()
router.register("intake-events", IntakeEventViewSet, basename="intake-event")

urlpatterns: list[URLPattern | URLResolver] = [*router.urls]
