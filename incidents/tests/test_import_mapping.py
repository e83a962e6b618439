"""The mapping of an import: read strictly, shipped ones usable."""

from django.test import SimpleTestCase

from core.severity import Severity
from incidents.imports.mapping import SHIPPED, MappingError, load, parse
from incidents.tests.import_logs import MAPPING_TEXT
from incidents.vocabulary import Status

BAD_MAPPINGS = {
    # what is replaced, by what, what the message names
    "not TOML": ('origin_system = "tracker"', "origin_system =", "not valid TOML"),
    "no system": ('origin_system = "tracker"', "", "origin_system must be a text"),
    "long system": ('"tracker"', '"' + "x" * 65 + '"', "origin_system must be at most 64"),
    "unknown key": ('origin_system = "tracker"', 'origin_system = "tracker"\nspeed = 1', "unknown key speed"),
    "unknown column": ('order = "mods"', 'ordre = "mods"', "unknown key columns.ordre"),
    "no id": ('id = "number"', "", "columns.id must be a text"),
    "number for text": ('id = "number"', "id = 1", "columns.id must be a text"),
    "unknown status": ('"in_progress"', '"busy"', "status.values.Active must be one of open, acknowledged"),
    "list for a word": ('"in_progress"', '["open"]', "status.values.Active must be one of"),
    "unknown severity": ('"critical"', '"awful"', "severity.values.Bad must be one of"),
    "bad default": ('column = "priority"', 'column = "priority"\ndefault = "awful"', "severity.default must be one of"),
    "missing not a list": ('["?"]', '"?"', "missing must be a list"),
    "unknown zone": ('missing = ["?"]', 'missing = ["?"]\ntime_zone = "Mars/Base"', "time_zone must be the name"),
    "unknown encoding": ('missing = ["?"]', 'missing = ["?"]\nencoding = "utf-99"', "encoding must be a text encoding"),
    "wide encoding": ('missing = ["?"]', 'missing = ["?"]\nencoding = "utf-16"', "one that extends ASCII"),
    "long delimiter": ('missing = ["?"]', 'missing = ["?"]\ndelimiter = "::"', "delimiter must be one character"),
    "switch not a switch": ("create = true", 'create = "yes"', "team.create must be true or false"),
    "no title": ('title = "{summary}"', "", "text.title must be a text"),
    "status is no table": ("[status]", "[estatus]", "unknown key estatus"),
}


class MappingTests(SimpleTestCase):
    """incidents.imports.mapping."""

    def test_it_reads_what_the_columns_mean(self) -> None:
        mapping = parse(MAPPING_TEXT)

        self.assertEqual(mapping.statuses["Waiting"], Status.ON_HOLD)
        self.assertEqual(mapping.severity.values["Bad"], Severity.CRITICAL)
        self.assertEqual(mapping.severity.default, Severity.MEDIUM)
        self.assertIsNone(mapping.priority)
        self.assertEqual(mapping.used_columns[0], "number")
        self.assertIn("summary", mapping.used_columns)
        self.assertEqual(len(mapping.used_columns), len(set(mapping.used_columns)))

    def test_it_names_what_is_wrong_with_a_mapping(self) -> None:
        for name, (old, new, message) in BAD_MAPPINGS.items():
            with self.subTest(name), self.assertRaises(MappingError) as caught:
                parse(MAPPING_TEXT.replace(old, new, 1))
            self.assertIn(message, caught.exception.message, name)

    def test_it_loads_each_shipped_mapping_by_name(self) -> None:
        names = [path.name for path in SHIPPED.glob("*.toml")]

        loaded = [load(name) for name in names] + [load(name.removesuffix(".toml")) for name in names]

        self.assertIn("servicenow", [mapping.origin_system for mapping in loaded])

    def test_it_lists_the_shipped_mappings_for_an_unknown_name(self) -> None:
        with self.assertRaisesMessage(MappingError, "servicenow_incident_log"):
            load("no_such_mapping")
