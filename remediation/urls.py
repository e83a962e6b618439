from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from remediation import views
from remediation.views import agents

router = SimpleRouter()
router.register("agents", agents.AgentViewSet, basename="agent")
router.register("runbooks", views.RunbookViewSet, basename="runbook")
router.register("runbook-secrets", views.RunbookSecretViewSet, basename="runbook-secret")
router.register("freeze-windows", views.FreezeWindowViewSet, basename="freeze-window")
router.register("runs", views.RunViewSet, basename="run")

urlpatterns: list[URLPattern | URLResolver] = [
    path("agents/poll/", agents.PollView.as_view(), name="agent-poll"),
    path("agents/jobs/<int:job_id>/result/", agents.JobResultView.as_view(), name="agent-job-result"),
    *router.urls,
    path("incidents/<str:id>/runs/", views.IncidentRunsView.as_view(), name="incident-runs"),
    path("remediation/stop/", views.StopView.as_view(), name="remediation-stop"),
]
