"""Backups: a folder that holds a consistent copy of the database, every stored file once by its digest, and a manifest.

manifest.json     what it is of, and the digests of the next two; written last, so that its presence means complete
database.sqlite3  or database.sql.gz
files.sha256      a line `digest  name in the store` for each stored file
files/ab/abcd…    the files, named by their SHA-256
"""


class BackupError(Exception):
    """One sentence on what is wrong, for whoever runs the command."""
