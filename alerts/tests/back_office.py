"""What tests of the pages of alerts in the admin share."""

from typing import Any

from django.contrib.messages import get_messages
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.tests.factories import make_team
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder


class BackOfficeCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin, cls.responder, cls.outsider = make_admin(), make_responder(), make_responder()
        cls.reporter = make_reporter()
        cls.team, cls.other_team = make_team("Database", cls.responder), make_team("Network", cls.outsider)

    def sign_in(self, user: User) -> None:
        self.client.force_login(user)

    def listed(self, model: str, query: str = "") -> list[Any]:
        """The rows that a list shows."""
        return list(self.client.get(self.list_of(model) + query).context["cl"].result_list)

    def list_of(self, model: str) -> str:
        app = "intake" if model in ("source", "intakeevent") else "alerts"
        return reverse(f"admin:{app}_{model}_changelist")

    def page(self, row: Any, name: str = "change", *more: object) -> str:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk, *more])

    def messages(self, answer: Any) -> str:
        return " ".join(str(message) for message in get_messages(answer.wsgi_request))

    def queries(self, url: str) -> list[str]:
        """What a page asks the database, once everything that is remembered is."""
        self.client.get(url)
        with CaptureQueriesContext(connection) as found:
            self.assertEqual(self.client.get(url).status_code, 200)
        return [query["sql"] for query in found]
