from django.urls import path

from console.views.status import announcement, overview, publishing

ROOT = "status-page/"
ONE = f"{ROOT}incidents/<int:pk>/"

urlpatterns = [
    path(ROOT, overview.overview, name="status-page"),
    path(f"{ROOT}publish/", publishing.publish, name="status-publish"),
    path(f"{ROOT}plan/", publishing.plan, name="status-plan"),
    path(ONE, announcement.announcement, name="status-announcement"),
    path(f"{ONE}update/", announcement.update, name="status-update"),
    path(f"{ONE}edit/", announcement.edit, name="status-edit"),
    path(f"{ONE}move/", announcement.move, name="status-move"),
    path(f"{ONE}withdraw/", announcement.withdraw, name="status-withdraw"),
    path(f"{ROOT}updates/<int:pk>/correct/", announcement.correct, name="status-correct"),
]
