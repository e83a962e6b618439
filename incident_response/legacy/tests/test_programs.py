from django.test import SimpleTestCase

from incident_response.legacy.programs import FIRST_PARTS
from incident_response.legacy.urls import urlpatterns


class FirstPartTests(SimpleTestCase):
    def test_it_knows_where_each_address_begins(self):
        self.assertEqual({str(one.pattern).partition("/")[0] for one in urlpatterns}, FIRST_PARTS)
