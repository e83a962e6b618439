"""Import and export configuration (django-import-export)."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV, XLSX
from import_export.resources import ModelResource
from import_export.results import Result
from import_export.tmp_storages import TempFolderStorage
from import_export.widgets import ForeignKeyWidget
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from core.backoffice.base import BackOfficeAdmin
from core.backoffice.spreadsheets import cell, unescape_formula
from core.errors import DomainError, conflict_of


class NumberedCSV(CSV):  # type: ignore[misc]  # import_export is untyped
    """CSV that remembers each row's file line."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Any:
        dataset = super().create_dataset(in_stream, **kwargs)
        text = in_stream.decode(self.encoding or "utf-8-sig") if isinstance(in_stream, bytes) else in_stream
        dataset.file_lines = list(_beginnings(text))[1:]
        return dataset


def _beginnings(text: str) -> Iterator[int]:
    reader = csv.reader(io.StringIO(text, newline=""))
    line = 1
    for row in reader:
        if row:
            yield line
        line = reader.line_num + 1


class LineResult(Result):  # type: ignore[misc]
    """An import's result that names file lines."""

    file_lines: Sequence[int] = ()

    def line_of(self, number: int) -> int:
        """Return the line (or spreadsheet row) of a row."""
        return self.file_lines[number - 1] if number <= len(self.file_lines) else number + 1

    def row_errors(self) -> list[tuple[int, Any]]:
        return [(self.line_of(row.errors[0].number), row.errors) for row in self.rows if row.errors]


class SafeResource(ModelResource):  # type: ignore[misc]  # import_export is untyped
    """Rows in and out: escapes formulas, refuses unknown columns."""

    by: Any = None

    @classmethod
    def get_result_class(cls) -> type[LineResult]:
        return LineResult

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        result.file_lines = getattr(dataset, "file_lines", ())
        for row in result.invalid_rows:
            row.number = result.line_of(row.number)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        self.by = kwargs.get("user")
        known = [field.column_name for field in self.get_import_fields()]
        unknown = [header for header in dataset.headers or [] if header not in known]
        if unknown:
            raise ValidationError(
                gettext("Unknown columns: %(unknown)s. Known are %(known)s.")
                % {"unknown": ", ".join(map(str, unknown)), "known": ", ".join(known)}
            )

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        for name, value in row.items():
            row[name] = unescape_formula(value.strip() if isinstance(value, str) else value)

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        """Save through `store`; a refusal becomes the row's error."""
        try:
            with transaction.atomic():
                self.store(instance, is_create)
        except IntegrityError as error:
            refusal = conflict_of(error)
            if refusal is None:
                raise
            raise ValidationError(refusal.message) from error
        except DomainError as error:
            known = {field.attribute for field in self.get_import_fields()}
            if error.field in known:
                raise ValidationError({str(error.field): error.message}) from error
            raise ValidationError(error.message) from error

    def store(self, instance: Any, is_create: bool) -> None:
        instance.save()

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        return cell(super().export_field(field, instance, **kwargs))


class NamedWidget(ForeignKeyWidget):  # type: ignore[misc]  # import_export is untyped
    """A relation by name."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        try:
            return super().clean(value, row, **kwargs)
        except self.model.DoesNotExist as error:
            raise ValueError(f"There is no {self.model._meta.verbose_name} named {value}.") from error


class WholeFileStorage(TempFolderStorage):  # type: ignore[misc]  # import_export is untyped
    """Holds a file until confirmed, keeping line ends within cells."""

    def read(self) -> bytes | str:
        content = Path(self.get_full_path()).read_bytes()
        return content if "b" in self.read_mode else content.decode(self.encoding or "utf-8")


class ExchangeAdmin(BackOfficeAdmin, ImportExportModelAdmin):  # type: ignore[misc]
    """A model's pages with import and export."""

    import_form_class = ImportForm
    export_form_class = ExportForm
    formats = (NumberedCSV, XLSX)
    tmp_storage_class = WholeFileStorage
    to_encoding = from_encoding = "utf-8-sig"  # Excel knows UTF-8 by its byte order mark
    show_change_form_export = False

    def get_export_resource_fields_from_form(self, form: Any) -> Iterable[str] | None:
        """Export all columns, so that the file can be imported again."""
        return None
