from django.urls import path
from rest_framework.routers import SimpleRouter

from incidents.views import attachments, configuration, incidents, metrics, timeline

router = SimpleRouter()
router.register("categories", configuration.CategoryViewSet, basename="category")
router.register("sla-policies", configuration.SlaPolicyViewSet, basename="sla-policy")

urlpatterns = [
    *router.urls,
    path("incidents/", incidents.IncidentListView.as_view(), name="incident-list"),
    path("incidents/summary/", metrics.SummaryView.as_view(), name="incident-summary"),
    path("incidents/bulk/", incidents.IncidentBulkView.as_view(), name="incident-bulk"),
    path("incidents/export/", incidents.IncidentExportView.as_view(), name="incident-export"),
    path("incidents/<str:id>/", incidents.IncidentView.as_view(), name="incident"),
    path("incidents/<str:id>/timeline/", timeline.TimelineView.as_view(), name="timeline"),
    path("incidents/<str:id>/history/", timeline.HistoryView.as_view(), name="history"),
    path("incidents/<str:id>/subscribers/", timeline.SubscribersView.as_view(), name="subscribers"),
    path("incidents/<str:id>/links/", timeline.LinksView.as_view(), name="links"),
    path("incidents/<str:id>/attachments/", attachments.IncidentAttachmentsView.as_view(), name="attachments"),
    path("timeline/<int:event_id>/redact/", timeline.RedactionView.as_view(), name="redaction"),
    path("attachments/<int:id>/", attachments.AttachmentView.as_view(), name="attachment"),
    path("attachments/<int:id>/file/", attachments.AttachmentFileView.as_view(), name="attachment-file"),
    path("attachments/<int:id>/thumbnail/", attachments.AttachmentThumbnailView.as_view(), name="attachment-thumbnail"),
    path("attachments/<int:id>/original/", attachments.AttachmentOriginalView.as_view(), name="attachment-original"),
    path("metrics/sla/", metrics.SlaMetricsView.as_view(), name="metrics-sla"),
]
