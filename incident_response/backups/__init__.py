"""Backups: a consistent database, files by digest, a manifest.

manifest.json     written last: its presence means complete
database.sqlite3  or database.sql.gz
files.sha256      lines of `digest  name in the store`
files/ab/abcd…    named by SHA-256
"""


class BackupError(Exception):
    """One sentence for whoever runs the command."""
