"""Routes of reviews as documents."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api.permissions import IsResponder
from core.api.problems import refuse_unknown_parameters
from reviews.rendering import to_markdown, to_pdf
from reviews.services.documenting import document_of, name_of
from reviews.views.reviews import REVIEW, review_for
from users.authentication import person


def download(content: Any, content_type: str, name: str) -> HttpResponse:
    """Return a file that browsers save, and do not guess the type of."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


class MarkdownView(APIView):
    """A review in Markdown."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="reviews_markdown",
        summary=_("Download a review as Markdown"),
        description=_("In the caller's language and time zone."),
        parameters=[REVIEW],
        responses={(200, "text/markdown"): OpenApiTypes.STR},
    )
    def get(self, request: Request, review_id: int) -> HttpResponse:
        refuse_unknown_parameters(request, set())
        review = review_for(request, review_id)
        text = to_markdown(document_of(review, reader=person(request)))
        return download(text, "text/markdown; charset=utf-8", f"{name_of(review)}.md")


class PdfView(APIView):
    """A review as PDF."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="reviews_pdf",
        summary=_("Download a review as PDF"),
        description=_("In the caller's language and time zone; of a very long one, the Markdown edition has all."),
        parameters=[REVIEW],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, review_id: int) -> HttpResponse:
        refuse_unknown_parameters(request, set())
        review = review_for(request, review_id)
        content = to_pdf(document_of(review, reader=person(request)))
        return download(content, "application/pdf", f"{name_of(review)}.pdf")
