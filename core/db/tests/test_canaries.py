"""What prepared queries, straight rows, COMMITs and migrations lean on of Django's insides."""

from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.core.management.commands.migrate import Command
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.expressions import Col
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from django.test import TestCase

from core.tests.canaries import CanaryCase


class CompilerTests(CanaryCase):
    use = "core.db.prepared, which compiles a query once"

    def test_it_compiles_with_the_same_calls(self) -> None:
        self.assert_takes(Query.get_compiler, "using", "connection", "elide_empty", use=self.use)
        self.assert_takes(SQLCompiler.as_sql, "with_limits", "with_col_aliases", use=self.use)
        self.assert_takes(models.Expression.as_sql, "compiler", "connection", use=self.use)
        self.assert_takes(connection.ops.get_db_converters, "expression", use=self.use)

    def test_it_tells_the_selected_columns_in_their_order(self) -> None:
        queryset = Group.objects.order_by().values_list("name", "id")

        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, parameters = compiler.as_sql()

        self.assertEqual(tuple(queryset.query.values_select), ("name", "id"), f"values_select changed: {self.use}")
        columns = [column for column, *_ in compiler.select or ()]
        self.assertTrue(all(isinstance(column, Col) for column in columns), f"compiler.select changed: {self.use}")
        self.assertEqual([column.output_field.column for column in columns], ["name", "id"], self.use)
        self.assertEqual(tuple(parameters), (), self.use)
        self.assertNotIn("WHERE", sql, f"rows_where() adds the condition itself: {self.use}")

    def test_it_says_whether_a_query_locks(self) -> None:
        self.assertIs(Group.objects.select_for_update().query.select_for_update, True, self.use)


class FieldTests(CanaryCase):
    use = "core.db.values and core.db.rows, which write columns without a save()"

    def test_it_prepares_values_with_the_same_calls(self) -> None:
        self.assert_takes(models.Field.pre_save, "model_instance", "add", use=self.use)
        self.assert_takes(models.Field.get_db_prep_save, "value", "connection", use=self.use)
        self.assert_takes(models.Field.get_db_prep_value, "value", "connection", "prepared", use=self.use)
        self.assert_takes(Group.from_db, "db", "field_names", "values", use=self.use)
        self.assert_has(Group()._state, "adding", "db", use=self.use)

    def test_it_tells_ids_with_the_same_calls(self) -> None:
        self.assert_takes(connection.ops.last_insert_id, "cursor", "table_name", "pk_name", use="core.db.rows.insert")
        features = ("can_return_rows_from_bulk_insert", "has_select_for_update", "has_select_for_update_skip_locked")
        self.assert_has(connection.features, *features, use="core.db.rows")


class ReturningTests(TestCase):
    def test_it_gives_rising_ids_to_the_rows_of_a_statement(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO auth_group (name) VALUES ('a'), ('b'), ('c')")

        names = list(Group.objects.order_by("id").values_list("name", flat=True))
        self.assertEqual(names, ["a", "b", "c"], "core.db.rows.insert gives ids to rows in this order.")


class MariaDBTests(CanaryCase):
    use = "core.db.mariadb, which finds out what became of a COMMIT and resumes migrations"

    def test_it_overrides_what_is_there(self) -> None:
        try:
            from django.db.backends.mysql import base
            from django.db.backends.mysql.schema import DatabaseSchemaEditor
        except ImproperlyConfigured as error:
            self.skipTest(f"There is no driver: {error}")

        wrapper = base.DatabaseWrapper
        self.assert_takes(wrapper._set_autocommit, "autocommit", use=self.use)
        self.assert_takes(wrapper.get_new_connection, "conn_params", use=self.use)
        self.assert_takes(wrapper.create_cursor, "name", use=self.use)
        names = ("_commit", "_rollback", "is_usable", "run_and_clear_commit_hooks", "SchemaEditorClass")
        self.assert_has(wrapper, *names, use=self.use)
        self.assert_takes(base.CursorWrapper.execute, "query", "args", use=self.use)
        self.assert_takes(base.CursorWrapper.executemany, "query", "args", use=self.use)
        self.assert_takes(DatabaseSchemaEditor.execute, "sql", "params", use=self.use)
        self.assert_takes(DatabaseSchemaEditor._delete_composed_index, "model", "fields", "args", use=self.use)

    def test_it_keeps_what_waits_for_the_commit_where_it_did(self) -> None:
        self.assert_has(
            connection, "run_on_commit", "run_commit_hooks_on_set_autocommit_on", "autocommit", use=self.use
        )


class MigrateTests(CanaryCase):
    use = "the command migrate, which notes what it begins, and the check of migrations"

    def test_it_tells_of_progress_with_the_same_calls(self) -> None:
        self.assert_takes(Command.migration_progress_callback, "action", "migration", "fake", use=self.use)
        self.assert_takes(MigrationExecutor.migration_plan, "targets", "clean_start", use=self.use)
        self.assert_has(MigrationRecorder, "applied_migrations", "record_applied", "record_unapplied", use=self.use)
