"""Let those who are signed in open the private page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from status_page.access import grant
from status_page.addresses import page_url
from status_page.services.page import the_page


@never_cache
@require_safe
@login_required
def admit(request: HttpRequest) -> HttpResponse:
    """Lead to the page with what opens it for a minute."""
    page = the_page()
    query = f"?grant={grant(page.access_digest, timezone.now())}" if page.is_private else ""
    return HttpResponseRedirect(f"{page_url()}{query}")
