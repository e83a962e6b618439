from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from console.pages import page, show
from core.severity import SEVERITY_WORDS
from incidents.vocabulary import Status


@page
def styleguide(request: HttpRequest) -> HttpResponse:
    severities = [word for word, _label in SEVERITY_WORDS]
    return show(
        request,
        "console/styleguide.html",
        {"severities": severities, "statuses": Status.values, "now": timezone.now()},
    )


urlpatterns = [path("styleguide/", styleguide, name="styleguide")]
