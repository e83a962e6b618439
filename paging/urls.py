from django.urls import path

from paging import views

urlpatterns = [
    path("incidents/<str:id>/escalation/", views.EscalationView.as_view(), name="incident-escalation"),
    path("incidents/<str:id>/page/", views.PageView.as_view(), name="incident-page"),
    path(
        "escalation-policies/<int:policy_id>/simulate/",
        views.PolicySimulationView.as_view(),
        name="escalation-policy-simulate",
    ),
]
