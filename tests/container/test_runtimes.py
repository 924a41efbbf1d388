#!/usr/bin/python3
"""Profiles made by callcensus, used by real container runtimes: what was traced runs, all else is refused.

    CALLCENSUS=build/default/callcensus python3 tests/container/test_runtimes.py -v

README.md beside this file says what has to be installed.
"""

import pathlib
import unittest

import containers
import harness
from containers import PlainLauncher, PodmanLauncher, RUNTIMES, describe
from harness import DENY_BY_KILLING, DENY_WITH_ENOSYS, ROOT, USERS

GOLDEN_BASELINES = harness.source_directory().parent / "golden/baselines"
# Of Debian's golang-github-containers-common; Fedora's containers-common has it at the same place.
DISTRIBUTION_BASELINE = pathlib.Path("/usr/share/containers/seccomp.json")

# mkdir makes one call more than the part of it that every applet shares with ls.
TRACED = ["ls", "/"]
NOT_TRACED = ["mkdir", "/tmp/made"]

sandbox = None


def setUpModule():
    global sandbox
    sandbox = harness.sandbox_of_module()


class RuntimeTest(harness.ContainerTest):
    def assert_refused_with_enosys(self, completed):
        # The message is busybox's own: it did start, and then was refused the call.
        self.assertEqual(completed.returncode, 1, describe(completed))
        self.assertIn("mkdir: can't create directory '/tmp/made': Function not implemented", completed.stderr,
                      describe(completed))


class TracedCommand(RuntimeTest):
    """A profile traced on the host, for the first process of a container."""

    LAUNCHERS = [*map(PodmanLauncher, RUNTIMES), *map(PlainLauncher, RUNTIMES)]

    def check(self, policy_options, assert_refused):
        profiles = {user: sandbox.trace(TRACED, user, policy_options) for user in USERS}

        def check_one(launcher, **container):
            profile = profiles[container["user"]]
            self.assert_lists_the_root(launcher.run(sandbox, TRACED, profile, **container))
            assert_refused(launcher.run(sandbox, NOT_TRACED, profile, **container))
            self.assert_succeeds(launcher.run(sandbox, NOT_TRACED, **container))

        self.for_each(self.LAUNCHERS, check_one, no_new_privileges=(True, False), user=USERS)

    def test_only_what_was_traced_runs_where_a_denial_answers_enosys(self):
        self.check(DENY_WITH_ENOSYS, self.assert_refused_with_enosys)

    def test_only_what_was_traced_runs_where_a_denial_kills(self):
        self.check(DENY_BY_KILLING, self.assert_killed)


class Exec(RuntimeTest):
    """`podman exec`, under a profile derived from recordings of both the container's and the new command."""

    LAUNCHERS = [*map(PodmanLauncher, RUNTIMES)]
    # Longer than the test takes; it is killed then.
    WAITING = ["sleep", str(2 * containers.COMMAND_TIMEOUT_S)]

    def check(self, policy_options, assert_refused):
        profiles = {
            user: sandbox.derive([sandbox.record(command, user) for command in (["sleep", "0"], TRACED)],
                                 policy_options)
            for user in USERS}

        def check_one(launcher, **container):
            with launcher.running(sandbox, self.WAITING, profiles[container["user"]], **container) as name:
                self.assert_lists_the_root(launcher.exec(sandbox, name, TRACED))
                assert_refused(launcher.exec(sandbox, name, NOT_TRACED))
                # The waiting command itself was not refused anything meanwhile: the container is still there.
                self.assert_lists_the_root(launcher.exec(sandbox, name, TRACED))
            with launcher.running(sandbox, self.WAITING, **container) as name:
                self.assert_succeeds(launcher.exec(sandbox, name, NOT_TRACED))

        self.for_each(self.LAUNCHERS, check_one, no_new_privileges=(True, False), user=USERS)

    def test_only_what_was_traced_runs_where_a_denial_answers_enosys(self):
        self.check(DENY_WITH_ENOSYS, self.assert_refused_with_enosys)

    def test_only_what_was_traced_runs_where_a_denial_kills(self):
        self.check(DENY_BY_KILLING, self.assert_killed)


class Baseline(RuntimeTest):
    """A profile on top of one in Docker's format: podman adapts it to the machine and to the capabilities."""

    LAUNCHERS = [*map(PodmanLauncher, RUNTIMES)]
    MAY_ADMINISTER = ("--cap-add", "SYS_ADMIN")
    RENAME_HOST = ["hostname", "counted"]

    def test_the_distributions_default_profile(self):
        if not DISTRIBUTION_BASELINE.exists():
            self.skipTest(f"{DISTRIBUTION_BASELINE} is missing (Debian: golang-github-containers-common)")
        profile = sandbox.trace(TRACED, ROOT, ["--baseline", DISTRIBUTION_BASELINE])

        def check_one(launcher):
            self.assert_lists_the_root(launcher.run(sandbox, TRACED, profile))
            # What the baseline allows stays allowed, under its conditions.
            self.assert_succeeds(launcher.run(sandbox, NOT_TRACED, profile))
            self.assert_succeeds(
                launcher.run(sandbox, self.RENAME_HOST, profile, options=self.MAY_ADMINISTER))

        self.for_each(self.LAUNCHERS, check_one)

    def test_archmap_includes_excludes_and_legacy_names(self):
        baseline = GOLDEN_BASELINES / "docker-shape.json"
        profile = sandbox.trace(TRACED, ROOT, ["--baseline", baseline])

        def check_one(launcher):
            alone = launcher.run(sandbox, TRACED, baseline)
            self.assertNotEqual(alone.returncode, 0, f"the baseline alone is enough{describe(alone)}")
            self.assert_lists_the_root(launcher.run(sandbox, TRACED, profile))

            # A rule with one `name`: ls changes no modes, so only the baseline allows it.
            self.assert_succeeds(launcher.run(sandbox, ["chmod", "700", "/tmp"], profile))

            # Rules of includes.caps and excludes.caps.
            self.assert_succeeds(
                launcher.run(sandbox, self.RENAME_HOST, profile, options=self.MAY_ADMINISTER))
            refused_by_rule = launcher.run(sandbox, self.RENAME_HOST, profile)
            self.assertEqual(refused_by_rule.returncode, 1, describe(refused_by_rule))
            self.assertIn("Permission denied", refused_by_rule.stderr, describe(refused_by_rule))

            refused_by_default = launcher.run(sandbox, NOT_TRACED, profile)
            self.assertEqual(refused_by_default.returncode, 1, describe(refused_by_default))
            self.assertIn("mkdir: can't create directory '/tmp/made'", refused_by_default.stderr,
                          describe(refused_by_default))

        self.for_each(self.LAUNCHERS, check_one)


if __name__ == "__main__":
    unittest.main()
