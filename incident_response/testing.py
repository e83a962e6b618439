"""The test runner; with `TEST_REPORT=file` it writes counts as JSON."""

import json
import logging
import os
import tempfile
import unittest
import warnings
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test.runner import DiscoverRunner, ParallelTestSuite, RemoteTestResult, RemoteTestRunner
from django.test.utils import override_settings

OUR_MODULES = r"(incident_response|users|responders|incidents|alerts|logs|notifications|console|tests|benchmarks)\b"
OUR_WARNINGS = (DeprecationWarning, PendingDeprecationWarning, RuntimeWarning, SyntaxWarning, UserWarning)


def make_warnings_errors() -> None:
    """Fail on warnings from or about our modules."""
    for category in OUR_WARNINGS:
        warnings.filterwarnings("error", category=category, module=OUR_MODULES)
    warnings.filterwarnings("error", message=r".* received a naive datetime", category=RuntimeWarning)
    warnings.filterwarnings("error", message=r"Pagination may yield inconsistent results")


def test_settings(media_root: str) -> override_settings:
    """Return the settings that differ in tests."""
    return override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        MEDIA_ROOT=Path(media_root),
        STATUS_ROOT=Path(media_root) / "status",
        STORAGES={
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": media_root},
            },
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
        SECURE_SSL_REDIRECT=False,
        WHITENOISE_AUTOREFRESH=True,  # finds files when asked, not at start
    )


def silence_logs() -> None:
    """Hide log lines; `assertLogs` still sees them."""
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.CRITICAL + 1)


def prepare_process(media_root: str) -> None:
    """Prepare a spawned test process (macOS)."""
    make_warnings_errors()
    test_settings(media_root).enable()


class PlainSubTest:
    """A picklable failed subtest."""

    failureException = AssertionError

    def __init__(self, subtest: Any) -> None:
        self.test_id = subtest.test_case.id()
        self._id, self._text = subtest.id(), str(subtest)
        self._short: str | None = subtest.shortDescription()

    def id(self) -> str:
        return str(self._id)

    def shortDescription(self) -> str | None:
        return self._short

    def __str__(self) -> str:
        return self._text


class RemoteResult(RemoteTestResult):
    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, PlainSubTest(subtest) if err else subtest, err)


class RemoteRunner(RemoteTestRunner):
    resultclass = RemoteResult


class OurParallelSuite(ParallelTestSuite):
    runner_class = RemoteRunner
    process_setup = prepare_process

    @property
    def process_setup_args(self) -> tuple[str]:  # type: ignore[override]
        return (str(settings.MEDIA_ROOT),)


class Runner(DiscoverRunner):
    parallel_test_suite = OurParallelSuite

    def setup_test_environment(self, **kwargs: Any) -> None:
        self._media = tempfile.TemporaryDirectory(prefix="media-of-tests-")
        self._settings = test_settings(self._media.name)
        self._settings.enable()
        make_warnings_errors()
        silence_logs()
        super().setup_test_environment(**kwargs)

    def teardown_test_environment(self, **kwargs: Any) -> None:
        super().teardown_test_environment(**kwargs)
        self._settings.disable()
        self._media.cleanup()

    def suite_result(self, suite: unittest.TestSuite, result: Any, **kwargs: Any) -> int:
        if report := os.environ.get("TEST_REPORT"):
            Path(report).write_text(json.dumps(counts_of(result)), encoding="utf-8")
        return int(super().suite_result(suite, result, **kwargs))


def counts_of(result: unittest.TestResult) -> dict[str, int]:
    """Return passed, failed and skipped; failing subtests count once."""
    broken = {_test_id(test) for test, _trace in [*result.failures, *result.errors]}
    broken |= {test.id() for test in result.unexpectedSuccesses}
    skipped = {_test_id(test) for test, _reason in result.skipped} - broken
    outside = sum(1 for name in broken | skipped if name.startswith(("setUpClass", "tearDownClass", "setUpModule")))
    passed = max(0, result.testsRun - (len(broken) + len(skipped) - outside))
    return {"passed": passed, "failed": len(broken), "skipped": len(skipped)}


def _test_id(test: Any) -> str:
    if isinstance(test, PlainSubTest):
        return str(test.test_id)
    return str(getattr(test, "test_case", test).id())
