from django.test import SimpleTestCase

from incidents.rules import Decision, Miss, ReportFacts, RuleSpec, decide, judge


def rule(number: int = 1, **fields: object) -> RuleSpec:
    return RuleSpec(**{"id": number, "name": f"Rule {number}", "team_id": number, **fields})  # type: ignore[arg-type]


class RuleTests(SimpleTestCase):
    def test_it_matches_what_is_told(self) -> None:
        table: list[tuple[dict[str, object], dict[str, object], Miss | None]] = [
            ({}, {}, None),
            ({"category_id": 1}, {"category_id": 1}, None),
            ({"category_id": 1}, {"category_id": 2}, Miss.CATEGORY),
            ({"category_id": 1}, {}, Miss.CATEGORY),
            ({"service_id": 1}, {"service_ids": frozenset({1, 2})}, None),
            ({"service_id": 3}, {"service_ids": frozenset({1, 2})}, Miss.SERVICE),
            ({"location": "zürich"}, {"location": "Lager ZU\u0308RICH-West"}, None),
            ({"location": "lager"}, {"location": "Lagerhalle"}, None),
            ({"location": "Hall 3"}, {"location": "hall  3, gate"}, None),
            ({"location": "Hall 3"}, {"location": "Hall 32"}, Miss.LOCATION),
            ({"location": "2 North"}, {"location": "12 North"}, Miss.LOCATION),
            ({"location": "a.b"}, {"location": "axb"}, Miss.LOCATION),
            ({"words": ("leak",)}, {"text": "Water LEAK!"}, None),
            ({"words": ("leak",)}, {"text": "Leakage"}, Miss.WORDS),
            ({"words": ("water leak",)}, {"text": "A water-leak"}, None),
            ({"words": ("water leak",)}, {"text": "Leak of water"}, Miss.WORDS),
            ({"words": ("fire", "smoke")}, {"text": "smoke"}, None),
            ({"words": ("cafe",)}, {"text": "Café"}, None),
            ({"words": ("ＶＰＮ",)}, {"text": "vpn down"}, None),
            ({"words": ("漏水",)}, {"text": "天井から漏水あり"}, None),
            ({"words": ("水漏",)}, {"text": "天井から漏水あり"}, Miss.WORDS),
            ({"words": ("!!",)}, {"text": "!!"}, Miss.WORDS),
            ({"location": "Bern", "words": ("leak",)}, {"location": "Bern", "text": "fire"}, Miss.WORDS),
        ]
        for fields, facts, miss in table:
            with self.subTest(fields=fields, facts=facts):
                (judged,) = judge([rule(**fields)], ReportFacts(**facts))  # type: ignore[arg-type]
                self.assertEqual(judged.miss, miss)

    def test_the_first_match_decides_each(self) -> None:
        one, two, three = rule(1, words=("x",)), rule(2, team_id=None, severity=4), rule(3, severity=1)

        self.assertEqual(decide([one, two, three], ReportFacts("x")), Decision(one, two))
        self.assertEqual(decide([one, two, three], ReportFacts("y")), Decision(three, two))
        self.assertEqual(decide([one], ReportFacts("y")), Decision())

    def test_a_named_thing_s_own_team_goes_before_rules_that_do_not_name_it(self) -> None:
        plain, by_category, by_service = rule(1), rule(2, category_id=5), rule(3, service_id=7)
        rules = [plain, by_category, by_service]
        named = {"category_id": 5, "service_ids": frozenset({7})}
        table = [
            ({}, plain),
            ({"category_has_team": True}, by_category),
            ({"service_has_team": True}, by_service),
            ({"service_has_team": True, "category_has_team": True}, by_service),
            ({"is_restricted": True}, by_category),
        ]
        for facts, wanted in table:
            with self.subTest(facts):
                self.assertEqual(decide(rules, ReportFacts(**named, **facts)).team, wanted)  # type: ignore[arg-type]

    def test_a_severity_is_suggested_whoever_gets_it(self) -> None:
        fire = rule(1, words=("fire",), severity=4)

        self.assertEqual(decide([fire], ReportFacts("fire", service_has_team=True)), Decision(None, fire))
