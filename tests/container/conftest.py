"""The fixtures of the container tests: a sandbox, or the reason to skip all of them."""

import pytest

pytest.register_assert_rewrite("container_case")

import container_case  # noqa: E402  pylint: disable=wrong-import-position
import containers  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="session")
def sandbox():
    reason = containers.missing_on_this_machine(container_case.PROGRAM)
    if reason:
        pytest.skip(reason)
    try:
        made = containers.Sandbox(container_case.PROGRAM)
    except PermissionError as error:
        pytest.skip(f"no mount namespace of our own: {error}")
    try:
        reason = made.why_busybox_does_not_run_alone()
        if reason:
            pytest.skip(f"{containers.BUSYBOX} needs libraries (Debian: busybox-static): {reason}")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def machine(sandbox):
    """The root file system with the machine's programs."""
    try:
        return sandbox.machine
    except OSError as error:
        pytest.skip(f"no overlay of the machine's root file system: {error}")
