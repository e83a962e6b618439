"""Full-text search over incidents: one document of our own tokens for each, in FTS5 or InnoDB FULLTEXT.

Both engines get the same tokens (see `tokens`), so both find the same incidents. The document is written in the
transaction that changes the text. Words of internal updates are marked as such, and found only by those who may read
them.
"""

from incidents.search.index import add, first_matching, forget, index, matching, reindex

__all__ = ["add", "first_matching", "forget", "index", "matching", "reindex"]
