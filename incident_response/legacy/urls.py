"""The earlier systems' addresses, without a last slash."""

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from incident_response.legacy.incidents import IncidentsView, TicketsView, TicketView
from incident_response.legacy.lines import AlertsView, LogsView, SimulateView
from incident_response.legacy.probes import ModelProbe, SlackProbe, SplunkProbe
from incident_response.legacy.system import MetricsView, SystemView
from notifications.channels.slack import webhooks

urlpatterns: list[URLPattern] = [
    path("system/info", SystemView.as_view(), name="legacy-system-info"),
    path("incidents", IncidentsView.as_view({"get": "list", "post": "create"}), name="legacy-incidents"),
    path("incidents/<str:id>", IncidentsView.as_view({"get": "retrieve", "put": "update"}), name="legacy-incident"),
    path("simulate-incident", SimulateView.as_view(), name="legacy-simulate-incident"),
    path("test-slack", SlackProbe.as_view(), name="legacy-test-slack"),
    path("test-splunk", SplunkProbe.as_view(), name="legacy-test-splunk"),
    path("test-ai", ModelProbe.as_view(), name="legacy-test-ai"),
    path("webhooks/slack", webhooks.either, name="legacy-slack"),
    path("metrics", MetricsView.as_view(), name="legacy-metrics"),
    path("docs", RedirectView.as_view(pattern_name="docs"), name="legacy-docs"),
    path("logs", LogsView.as_view(), name="legacy-logs"),
    path("alerts", AlertsView.as_view(), name="legacy-alerts"),
    path("tickets", TicketsView.as_view({"get": "list"}), name="legacy-tickets"),
    path("tickets/<str:id>", TicketsView.as_view({"get": "retrieve", "patch": "partial_update"}), name="legacy-ticket"),
    path("tickets/<str:id>/priority", TicketsView.as_view({"patch": "set_priority"}), name="legacy-ticket-priority"),
    path("ticket", TicketView.as_view({"get": "form", "post": "create"}), name="legacy-new-ticket"),
]
