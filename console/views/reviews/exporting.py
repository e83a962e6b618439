"""A review as a file, in its reader's language and zone."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from console.pages import RESPONDERS, page, person
from console.views.reviews.reading import review_of
from reviews.rendering import to_markdown, to_pdf
from reviews.services.documenting import document_of, name_of
from reviews.views.documents import download


@page(roles=RESPONDERS)
@require_GET
def as_markdown(request: HttpRequest, pk: int) -> HttpResponse:
    review = review_of(request, pk)
    text = to_markdown(document_of(review, reader=person(request)))
    return download(text, "text/markdown; charset=utf-8", f"{name_of(review)}.md")


@page(roles=RESPONDERS)
@require_GET
def as_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    review = review_of(request, pk)
    content = to_pdf(document_of(review, reader=person(request)))
    return download(content, "application/pdf", f"{name_of(review)}.pdf")
