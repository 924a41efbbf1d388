"""Profiles made by callcensus, used by real container runtimes: what was traced runs, all else is refused.

    /usr/bin/python3 -m pytest tests/container/test_runtimes.py

README.md beside this file says what has to be installed.
"""

import pathlib

import pytest

import containers
import container_case
from container_case import DENY_BY_KILLING, DENY_WITH_ENOSYS, ROOT, USERS, each
from containers import PlainLauncher, PodmanLauncher, RUNTIMES, describe

GOLDEN_BASELINES = container_case.source_directory().parent / "golden/baselines"
# Of Debian's golang-github-containers-common; Fedora's containers-common has it at the same place.
DISTRIBUTION_BASELINE = pathlib.Path("/usr/share/containers/seccomp.json")

# mkdir makes one call more than the part of it that every applet shares with ls.
TRACED = ["ls", "/"]
NOT_TRACED = ["mkdir", "/tmp/made"]

PODMAN = [*map(PodmanLauncher, RUNTIMES)]
# By what follows a denial.
DENIALS = {"enosys": DENY_WITH_ENOSYS, "kill": DENY_BY_KILLING}

_results = {}


def once(function, *arguments):
    """What the function returns for these arguments, asked for by the first of all the cases."""
    key = repr((function.__name__, arguments))
    if key not in _results:
        _results[key] = function(*arguments)
    return _results[key]


class RuntimeTest(container_case.ContainerTest):
    def assert_refused(self, denial, completed):
        if denial == "kill":
            self.assert_killed(completed)
            return
        # The message is busybox's own: it did start, and then was refused the call.
        assert completed.returncode == 1, describe(completed)
        assert "mkdir: can't create directory '/tmp/made': Function not implemented" in completed.stderr, \
            describe(completed)


class TestTracedCommand(RuntimeTest):
    """A profile traced on the host, for the first process of a container."""

    @pytest.mark.parametrize("launcher", each([*PODMAN, *map(PlainLauncher, RUNTIMES)]))
    @pytest.mark.parametrize("no_new_privileges", [True, False])
    @pytest.mark.parametrize("user", USERS)
    @pytest.mark.parametrize("denial", DENIALS)
    def test_only_what_was_traced_runs(self, launcher, no_new_privileges, user, denial):
        profile = once(self.sandbox.trace, TRACED, user, DENIALS[denial])
        container = {"no_new_privileges": no_new_privileges, "user": user}
        self.assert_lists_the_root(launcher.run(self.sandbox, TRACED, profile, **container))
        self.assert_refused(denial, launcher.run(self.sandbox, NOT_TRACED, profile, **container))
        self.assert_succeeds(launcher.run(self.sandbox, NOT_TRACED, **container))


class TestExec(RuntimeTest):
    """`podman exec`, under a profile derived from recordings of both the container's and the new command."""

    # Longer than the test takes; it is killed then.
    WAITING = ["sleep", str(2 * containers.COMMAND_TIMEOUT_S)]

    @pytest.mark.parametrize("launcher", each(PODMAN))
    @pytest.mark.parametrize("no_new_privileges", [True, False])
    @pytest.mark.parametrize("user", USERS)
    @pytest.mark.parametrize("denial", DENIALS)
    def test_only_what_was_traced_runs(self, launcher, no_new_privileges, user, denial):
        recordings = [once(self.sandbox.record, command, user) for command in (["sleep", "0"], TRACED)]
        profile = once(self.sandbox.derive, recordings, DENIALS[denial])
        container = {"no_new_privileges": no_new_privileges, "user": user}
        with launcher.running(self.sandbox, self.WAITING, profile, **container) as name:
            self.assert_lists_the_root(launcher.exec(self.sandbox, name, TRACED))
            self.assert_refused(denial, launcher.exec(self.sandbox, name, NOT_TRACED))
            # The waiting command itself was not refused anything meanwhile: the container is still there.
            self.assert_lists_the_root(launcher.exec(self.sandbox, name, TRACED))
        with launcher.running(self.sandbox, self.WAITING, **container) as name:
            self.assert_succeeds(launcher.exec(self.sandbox, name, NOT_TRACED))


class TestBaseline(RuntimeTest):
    """A profile on top of one in Docker's format: podman adapts it to the machine and to the capabilities."""

    MAY_ADMINISTER = ("--cap-add", "SYS_ADMIN")
    RENAME_HOST = ["hostname", "counted"]

    @pytest.mark.parametrize("launcher", each(PODMAN))
    def test_the_distributions_default_profile(self, launcher):
        if not DISTRIBUTION_BASELINE.exists():
            pytest.skip(f"{DISTRIBUTION_BASELINE} is missing (Debian: golang-github-containers-common)")
        profile = self.sandbox.trace(TRACED, ROOT, ["--baseline", DISTRIBUTION_BASELINE])

        self.assert_lists_the_root(launcher.run(self.sandbox, TRACED, profile))
        # What the baseline allows stays allowed, under its conditions.
        self.assert_succeeds(launcher.run(self.sandbox, NOT_TRACED, profile))
        self.assert_succeeds(
            launcher.run(self.sandbox, self.RENAME_HOST, profile, options=self.MAY_ADMINISTER))

    @pytest.mark.parametrize("launcher", each(PODMAN))
    def test_archmap_includes_excludes_and_legacy_names(self, launcher):
        baseline = GOLDEN_BASELINES / "docker-shape.json"
        profile = self.sandbox.trace(TRACED, ROOT, ["--baseline", baseline])

        alone = launcher.run(self.sandbox, TRACED, baseline)
        assert alone.returncode != 0, f"the baseline alone is enough{describe(alone)}"
        self.assert_lists_the_root(launcher.run(self.sandbox, TRACED, profile))

        # A rule with one `name`: ls changes no modes, so only the baseline allows it.
        self.assert_succeeds(launcher.run(self.sandbox, ["chmod", "700", "/tmp"], profile))

        # Rules of includes.caps and excludes.caps.
        self.assert_succeeds(
            launcher.run(self.sandbox, self.RENAME_HOST, profile, options=self.MAY_ADMINISTER))
        refused_by_rule = launcher.run(self.sandbox, self.RENAME_HOST, profile)
        assert refused_by_rule.returncode == 1, describe(refused_by_rule)
        assert "Permission denied" in refused_by_rule.stderr, describe(refused_by_rule)

        refused_by_default = launcher.run(self.sandbox, NOT_TRACED, profile)
        assert refused_by_default.returncode == 1, describe(refused_by_default)
        assert "mkdir: can't create directory '/tmp/made'" in refused_by_default.stderr, \
            describe(refused_by_default)
