"""Browser push: the browser subscribes, and is a contact method from then on."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.pages import page, person, say
from core.errors import DomainError
from notifications.services import methods

LONGEST_NAME = 100


@page
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    label = request.POST.get("label", "")[:LONGEST_NAME].strip()
    try:
        methods.add_method(person(request), "push", request.POST.get("subscription", ""), label=label)
    except DomainError as error:
        return JsonResponse({"sentence": error.message}, status=error.status)
    say(request, _("This browser was added. A code is on its way to it; type it in below."))
    return JsonResponse({"next": reverse("console:settings-contacts")})


urlpatterns = [path("settings/push/", add, name="push-add")]
