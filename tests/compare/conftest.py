"""The fixtures of the comparison tests that are not of one file alone."""

import os

import pytest

pytest.register_assert_rewrite("comparison", "harness")

import comparison  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="session")
def program():
    """The path of the program under test, for what is shared with tests/cli."""
    assert os.access(comparison.program(), os.X_OK), comparison.missing_program()
    return comparison.program()
