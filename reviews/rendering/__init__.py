"""Reviews as documents: Markdown and PDF, from one description."""

from reviews.rendering.document import Document
from reviews.rendering.markdown import to_markdown

__all__ = ["Document", "to_markdown", "to_pdf"]


def to_pdf(document: Document) -> bytes:
    """Return the document as a PDF."""
    # fonts and what reads them take memory that most processes never need
    from reviews.rendering.pdf import draw

    return draw(document)
