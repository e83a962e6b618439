"""The stand-in, certified by Kubernetes' own client."""

import time

from django.test import SimpleTestCase
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from e2e.stand_ins.kubernetes.cluster import Cluster
from e2e.stand_ins.kubernetes.server import StandIn

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


class StandInTests(SimpleTestCase):
    def setUp(self) -> None:
        self.cluster = Cluster(pace=0.01)
        self.cluster.add("shop", "web", replicas=3)
        self.cluster.add("shop", "agent", resource="daemonsets")
        self.cluster.add("shop", "db", resource="statefulsets", replicas=2)
        self.stand_in = self.enterContext(StandIn(self.cluster))
        self.apps = self.apps_with("cluster-token")

    def apps_with(self, token: str, media: str = "") -> client.AppsV1Api:
        configuration = client.Configuration(host=self.stand_in.url)
        configuration.api_key = {"authorization": f"Bearer {token}"}
        configuration.retries = False
        api = client.ApiClient(configuration)
        if media:
            api.select_header_content_type = lambda *_arguments: media
        return client.AppsV1Api(api)

    def settle(self, name: str = "web") -> client.V1Deployment:
        for _look in range(300):
            found = self.apps.read_namespaced_deployment(name, "shop")
            status = found.status
            is_seen = status.observed_generation == found.metadata.generation
            if (
                is_seen
                and status.updated_replicas == status.replicas == status.available_replicas == found.spec.replicas
            ):
                return found
            time.sleep(0.01)
        raise AssertionError(f"the rollout did not end: {found.status}")

    def refused(self, status: int, reason: str) -> "_Refused":
        return _Refused(self, status, reason)

    def test_it_lists_and_reads_with_typed_objects(self) -> None:
        found = self.apps.list_namespaced_deployment("shop", label_selector="app=web", limit=1)
        daemons = self.apps.list_namespaced_daemon_set("shop").items
        stateful = self.apps.read_namespaced_stateful_set("db", "shop")
        scale = self.apps.read_namespaced_deployment_scale("web", "shop")

        self.assertEqual([item.metadata.name for item in found.items], ["web"])
        self.assertEqual(daemons[0].status.desired_number_scheduled, 3)
        self.assertEqual(stateful.status.ready_replicas, 2)
        self.assertEqual((scale.spec.replicas, scale.status.selector), (3, "app=web"))
        self.assertEqual(self.apps.list_namespaced_deployment("shop", label_selector="app=other").items, [])

    def test_it_pages_lists(self) -> None:
        self.cluster.add("shop", "api")

        first = self.apps.list_namespaced_deployment("shop", limit=1)
        second = self.apps.list_namespaced_deployment("shop", limit=1, _continue=first.metadata._continue)

        names = [page.items[0].metadata.name for page in (first, second)]
        self.assertEqual((names, second.metadata._continue), (["api", "web"], None))

    def test_it_rolls_out_a_change_of_the_template_over_time(self) -> None:
        before = self.apps.read_namespaced_deployment("web", "shop")
        body = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}

        changed = self.apps.patch_namespaced_deployment("web", "shop", body)
        after = self.settle()

        self.assertEqual(changed.metadata.generation, before.metadata.generation + 1)
        self.assertLess(changed.status.observed_generation, changed.metadata.generation)
        self.assertEqual(after.metadata.annotations["deployment.kubernetes.io/revision"], "2")
        self.assertEqual(after.spec.template.spec.containers[0].image, "web:1")
        self.assertEqual(len(self.apps.list_namespaced_replica_set("shop").items), 2)

    def test_it_makes_no_version_of_a_patch_that_changes_nothing(self) -> None:
        body = {"spec": {"replicas": 3}}

        before = self.apps.read_namespaced_deployment("web", "shop")
        after = self.apps.patch_namespaced_deployment("web", "shop", body)

        self.assertEqual(after.metadata.resource_version, before.metadata.resource_version)

    def test_it_merges_containers_by_name(self) -> None:
        body = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:2"}]}}}}

        self.apps.patch_namespaced_deployment("web", "shop", body)
        after = self.settle()

        self.assertEqual([(one.name, one.image) for one in after.spec.template.spec.containers], [("main", "web:2")])

    def test_it_stores_nothing_in_a_dry_run(self) -> None:
        body = {"spec": {"replicas": 5}}

        tried = self.apps.patch_namespaced_deployment_scale("web", "shop", body, dry_run="All")

        self.assertEqual(tried.spec.replicas, 5)
        self.assertEqual(self.apps.read_namespaced_deployment("web", "shop").spec.replicas, 3)
        with self.refused(422, "Invalid"):
            self.apps.patch_namespaced_deployment_scale("web", "shop", body, dry_run="Some")

    def test_it_refuses_a_patch_of_another_version(self) -> None:
        stale = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 5}}
        operations = [{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]

        with self.refused(409, "Conflict"):
            self.apps.patch_namespaced_deployment("web", "shop", stale)
        with self.refused(409, "Conflict"):
            self.apps.patch_namespaced_deployment_scale("web", "shop", stale)
        with self.refused(409, "Conflict"):
            self.apps_with("cluster-token", JSON_PATCH).patch_namespaced_deployment("web", "shop", operations)

    def test_it_takes_json_and_merge_patches_and_no_other_media(self) -> None:
        operations = [{"op": "test", "path": "/spec/replicas", "value": 3}, {"op": "remove", "path": "/spec/replicas"}]

        with self.refused(422, "Invalid"):
            wrong = [{"op": "replace", "path": "/spec/none/none", "value": 1}]
            self.apps_with("cluster-token", JSON_PATCH).patch_namespaced_deployment("web", "shop", wrong)
        self.apps_with("cluster-token", JSON_PATCH).patch_namespaced_deployment("web", "shop", operations[:1])
        scaled = self.apps_with("cluster-token", MERGE_PATCH).patch_namespaced_deployment_scale(
            "web", "shop", {"spec": {"replicas": 2}}
        )
        self.assertEqual(scaled.spec.replicas, 2)
        self.assertEqual(self.settle().status.replicas, 2)
        with self.refused(415, "UnsupportedMediaType"):
            self.apps_with("cluster-token", "application/json").patch_namespaced_deployment("web", "shop", {})

    def test_it_judges_what_it_is_given(self) -> None:
        with self.refused(422, "Invalid"):
            self.apps.patch_namespaced_deployment("web", "shop", {"spec": {"replicas": -1}})
        with self.refused(422, "Invalid"):
            self.apps.patch_namespaced_deployment("web", "shop", {"spec": {"selector": {"matchLabels": {"a": "b"}}}})
        with self.refused(400, "BadRequest"):
            self.apps.patch_namespaced_deployment("web", "shop", {"spec": {"replicas": "many"}})
        with self.refused(404, "NotFound"):
            self.apps.read_namespaced_deployment("other", "shop")

    def test_it_knows_its_callers_and_what_they_may(self) -> None:
        self.stand_in.tokens["reader"] = frozenset({("get", "deployments")})

        self.assertEqual(self.apps_with("reader").read_namespaced_deployment("web", "shop").spec.replicas, 3)
        with self.refused(401, "Unauthorized"):
            self.apps_with("wrong").read_namespaced_deployment("web", "shop")
        with self.refused(403, "Forbidden"):
            self.apps_with("reader").patch_namespaced_deployment("web", "shop", {})

    def test_it_says_when_a_rollout_exceeds_its_deadline(self) -> None:
        container = {"name": "main", "image": "web:broken"}
        template = {"spec": {"containers": [container]}}
        self.apps.patch_namespaced_deployment(
            "web", "shop", {"spec": {"progressDeadlineSeconds": 0, "template": template}}
        )

        for _look in range(200):
            found = self.apps.read_namespaced_deployment("web", "shop")
            reasons = {condition.type: condition.reason for condition in found.status.conditions}
            if reasons["Progressing"] == "ProgressDeadlineExceeded":
                break
            time.sleep(0.01)

        self.assertEqual(reasons["Progressing"], "ProgressDeadlineExceeded")
        self.assertEqual(found.status.available_replicas, 3)  # the old ones stay


class _Refused:
    """Expects an ApiException with a status and a reason."""

    def __init__(self, case: SimpleTestCase, status: int, reason: str) -> None:
        self.case, self.status, self.reason = case, status, reason
        self.raises = case.assertRaises(ApiException)

    def __enter__(self) -> None:
        self.raises.__enter__()

    def __exit__(self, *error: object) -> bool:
        caught = self.raises.__exit__(*error)  # type: ignore[arg-type]
        if caught:
            found = self.raises.exception
            self.case.assertEqual(found.status, self.status, found.body)
            self.case.assertIn(f'"reason": "{self.reason}"', found.body)
        return bool(caught)
