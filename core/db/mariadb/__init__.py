"""Django's database backend for MySQL and MariaDB, with commits that are known to have happened or not."""
