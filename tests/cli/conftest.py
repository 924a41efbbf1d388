"""The fixtures of these tests, and which tests there are."""

import os

import pytest

pytest.register_assert_rewrite("harness")

import harness  # noqa: E402  pylint: disable=wrong-import-position


def pytest_configure():
    harness.adopt_orphans()


def pytest_collection_modifyitems(config, items):
    """Where the tests are not run by root, they are unprivileged in the first place."""
    def is_left_out(item):
        if not issubclass(item.cls or object, harness.AsNobody):
            return False
        # What a class does not inherit is nobody's own.
        return os.geteuid() != 0 or (harness.ONE_USER and item.originalname not in vars(item.cls))

    left_out = [item for item in items if is_left_out(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def program():
    """The path of the program under test. Without it nothing is tested, and that is no reason to skip."""
    assert os.access(harness.PROGRAM, os.X_OK), f"build {harness.PROGRAM}, or have CALLCENSUS name the program to test"
    return harness.PROGRAM
