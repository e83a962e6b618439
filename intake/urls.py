"""The API's routes; senders' are in `intake.http`."""

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from intake.views import IntakeEventViewSet

router = SimpleRouter()
router.register("intake-events", IntakeEventViewSet, basename="intake-event")

urlpatterns: list[URLPattern | URLResolver] = [*router.urls]
