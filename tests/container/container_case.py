"""What the container tests have in common: the sandbox, which launchers there are, and what is refused.

    class TestSomething(container_case.ContainerTest):
        @pytest.mark.parametrize("launcher", each(PODMAN))
        def test_it(self, launcher):
            self.assert_succeeds(launcher.run(self.sandbox, ["ls", "/"]))
"""

import contextlib
import os
import pathlib
import signal

import pytest

import containers
from containers import describe

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.path.abspath(os.environ.get("CALLCENSUS") or REPOSITORY / "build/default/callcensus")

ROOT = 0
SOMEONE_ELSE = 1000
USERS = (ROOT, SOMEONE_ELSE)

DENY_WITH_ENOSYS = ()
DENY_BY_KILLING = ("--default-action", "SCMP_ACT_KILL_PROCESS")
STATUS_OF_A_KILL = 128 + signal.SIGSYS


def each(launchers):
    """For parametrize: every launcher by its name; what it misses is the reason to skip its case."""
    return [pytest.param(launcher, id=launcher.name,
                         marks=pytest.mark.skipif(bool(launcher.missing()), reason=launcher.missing() or ""))
            for launcher in launchers]


class ContainerTest:
    """What `cleanups` has been told to do is done when the test ends."""

    @pytest.fixture(autouse=True)
    def _prepared(self, sandbox):
        self.sandbox = sandbox
        with contextlib.ExitStack() as self.cleanups:
            self.set_up()
            yield

    def set_up(self):
        """What the tests of a class have in common, before each of them."""

    def assert_lists_the_root(self, completed):
        assert completed.returncode == 0, describe(completed)
        assert "bin" in completed.stdout.split(), describe(completed)

    def assert_succeeds(self, completed):
        assert completed.returncode == 0, describe(completed)

    def assert_killed(self, completed):
        assert completed.returncode == STATUS_OF_A_KILL, describe(completed)

    def names_of(self, profile):
        """The names that the profile's rules allow."""
        rules = containers.read_json(profile)["syscalls"]
        return {name for rule in rules if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}

    def observed_by(self, profile):
        rules = containers.read_json(profile)["syscalls"]
        return {name for rule in rules if rule["comment"].startswith("observed") for name in rule["names"]}


def source_directory():
    return pathlib.Path(__file__).resolve().parent
