from rest_framework.routers import SimpleRouter

from incidents.views import attachments, configuration, incidents, timeline


class Router(SimpleRouter):
    """Lists of what belongs to an incident take DELETE too, of what their parameter names."""

    routes = [
        SimpleRouter.routes[0]._replace(mapping={**SimpleRouter.routes[0].mapping, "delete": "remove"}),
        *SimpleRouter.routes[1:],
    ]


ONE = r"incidents/(?P<id>[^/]+)"

router = Router()
router.register("categories", configuration.CategoryViewSet, basename="category")
router.register("sla-policies", configuration.SlaPolicyViewSet, basename="sla-policy")
router.register("report-rules", configuration.ReportRuleViewSet, basename="report-rule")
router.register("incidents/bulk", incidents.IncidentBulkViewSet, basename="incident-bulk")
router.register("incidents", incidents.IncidentViewSet, basename="incident")
router.register(f"{ONE}/timeline", timeline.TimelineViewSet, basename="timeline")
router.register(f"{ONE}/history", timeline.HistoryViewSet, basename="history")
router.register(f"{ONE}/subscribers", timeline.SubscriberViewSet, basename="subscriber")
router.register(f"{ONE}/links", timeline.LinkViewSet, basename="link")
router.register(f"{ONE}/attachments", attachments.IncidentAttachmentViewSet, basename="incident-attachment")
router.register("timeline", timeline.EventViewSet, basename="event")
router.register("attachments", attachments.AttachmentViewSet, basename="attachment")
router.register("metrics", incidents.MetricsViewSet, basename="metrics")

urlpatterns = router.urls
