"""Full-text search: each incident has one document of tokens, which both databases index alike."""

from incidents.search.duplicates import Likeness, likely_duplicates
from incidents.search.index import (
    add_text,
    delete_document,
    filter_matching,
    first_matching,
    index_incidents,
    rebuild_index,
    reindex_incidents,
)
from incidents.search.reading import newest_with, public_words

__all__ = [
    "Likeness",
    "add_text",
    "delete_document",
    "filter_matching",
    "first_matching",
    "index_incidents",
    "likely_duplicates",
    "newest_with",
    "public_words",
    "rebuild_index",
    "reindex_incidents",
]
