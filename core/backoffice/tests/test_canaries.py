"""What the back office leans on of the insides of Django's admin, unfold and import-export."""

import inspect

from django.contrib.admin import site
from django.forms import BaseModelForm
from import_export.admin import ImportExportModelAdmin
from import_export.resources import ModelResource
from import_export.tmp_storages import TempFolderStorage
from import_export.widgets import ForeignKeyWidget
from unfold.views import ChangeList

from core.tests.canaries import CanaryCase


class FormTests(CanaryCase):
    use = "core.backoffice.base.RefusableForm, which cleans what was edited only"

    def test_it_cleans_with_the_same_calls(self) -> None:
        self.assert_takes(BaseModelForm._post_clean, use=self.use)
        self.assert_takes(BaseModelForm.add_initial_prefix, "field_name", use=self.use)

    def test_it_says_which_models_have_pages(self) -> None:
        self.assert_has(site, "_registry", use="core.backoffice.base, which links what names a row")


class ChangeListTests(CanaryCase):
    use = "core.backoffice.paging.KeysetChangeList, which pages by key"

    def test_it_lists_with_the_same_calls(self) -> None:
        self.assert_takes(ChangeList.get_queryset, "request", "exclude_parameters", use=self.use)
        self.assert_takes(ChangeList.get_ordering, "request", "queryset", use=self.use)
        self.assert_takes(ChangeList.get_ordering_field, "field_name", use=self.use)
        self.assert_takes(ChangeList.get_results, "request", use=self.use)

    def test_it_sets_what_ours_sets(self) -> None:
        source = "".join(inspect.getsource(one) for one in ChangeList.__mro__ if one is not object)

        for name in (
            "result_count",
            "full_result_count",
            "result_list",
            "show_full_result_count",
            "paginator",
            "params",
        ):
            self.assertIn(f"self.{name} = ", source, self.use)


class ExchangeTests(CanaryCase):
    use = "core.backoffice.exchange, which refuses row by row"

    def test_it_imports_and_exports_with_the_same_calls(self) -> None:
        self.assert_takes(ModelResource.before_import, "dataset", "kwargs", use=self.use)
        self.assert_takes(ModelResource.before_import_row, "row", "kwargs", use=self.use)
        self.assert_takes(ModelResource.after_import, "dataset", "result", "kwargs", use=self.use)
        self.assert_takes(ModelResource.do_instance_save, "instance", "is_create", use=self.use)
        self.assert_takes(ModelResource.export_field, "field", "instance", "kwargs", use=self.use)
        self.assert_takes(ForeignKeyWidget.clean, "value", "row", "kwargs", use=self.use)
        self.assert_takes(ImportExportModelAdmin.get_export_resource_fields_from_form, "form", use=self.use)
        self.assert_has(TempFolderStorage, "get_full_path", "read", use=self.use)
