"""What the API leans on of the insides of DRF and drf-spectacular."""

from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIRequestFactory

from core.tests.canaries import CanaryCase


class SchemaTests(CanaryCase):
    def test_it_lists_answers_with_the_same_call(self) -> None:
        self.assert_takes(AutoSchema._get_response_bodies, "direction", use="core.api.schema, which adds the errors")
        self.assert_takes(AutoSchema.get_summary, use="core.api.schema")


class SerializerTests(CanaryCase):
    use = "core.api.configuration, which builds a serializer's fields once"

    def test_it_builds_and_validates_with_the_same_calls(self) -> None:
        self.assert_takes(ModelSerializer.get_fields, use=self.use)
        self.assert_takes(ModelSerializer.run_validation, "data", use=self.use)
        self.assert_takes(ModelSerializer.update, "instance", "validated_data", use=self.use)

    def test_it_wraps_djangos_request_where_it_did(self) -> None:
        request = APIRequestFactory().get("/")

        self.assertIs(Request(request)._request, request, "core.api.problems reads the request's id there.")
