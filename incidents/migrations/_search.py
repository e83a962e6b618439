"""The search table: FTS5 in SQLite, a FULLTEXT index in MySQL and MariaDB. Django's models cannot describe either."""

CREATE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE incidents_search USING fts5("
        "document, tokenize = \"unicode61 remove_diacritics 0 tokenchars '_'\", detail = none)"
    ),
    "mysql": (
        "CREATE TABLE incidents_search ("
        "incident_id BIGINT NOT NULL PRIMARY KEY, "
        "document LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "FULLTEXT INDEX incidents_search_document (document)) ENGINE=InnoDB"
    ),
}


def create(apps, schema_editor):
    schema_editor.execute(CREATE[schema_editor.connection.vendor])


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE incidents_search")
