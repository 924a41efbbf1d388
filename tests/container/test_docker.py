#!/usr/bin/python3
"""A docker engine of our own: `callcensus runtime` beside runc makes profiles, and docker uses them.

    CALLCENSUS=build/default/callcensus python3 tests/container/test_docker.py -v
"""

import shutil
import unittest

import harness
from containers import Docker, describe

LS = ["ls", "/"]
MKDIR = ["mkdir", "/tmp/made"]

sandbox = None
docker = None


def setUpModule():
    global sandbox, docker
    sandbox = harness.sandbox_of_module()
    if Docker.missing() or not shutil.which("runc"):
        harness.skip_everything(Docker.missing() or "runc is not installed")
    runtime = sandbox.path / "callcensus-runtime"
    runtime.symlink_to(sandbox.program)
    docker = Docker(sandbox, [("callcensus", runtime)])
    unittest.addModuleCleanup(docker.close)


class RuntimeTest(harness.ContainerTest):
    def setUp(self):
        self.profile = sandbox.path / f"{sandbox.new_name('profile')}.json"

    def recorded(self, command, *options, **container):
        return docker.run(sandbox, command, options=["--runtime=callcensus", *options], **container)

    def test_trace_and_use(self):
        for user in harness.USERS:
            with self.subTest(user=user):
                self.setUp()
                self.assert_lists_the_root(
                    self.recorded(LS, f"--env=CALLCENSUS_TRACE=of:{self.profile}", user=user))
                self.assertLessEqual({"execve", "getdents64", "exit_group"}, self.observed_by(self.profile))
                for no_new_privileges in (True, False):
                    self.assert_lists_the_root(docker.run(
                        sandbox, LS, self.profile, no_new_privileges=no_new_privileges, user=user))
                    refused = docker.run(sandbox, MKDIR, self.profile, user=user,
                                         no_new_privileges=no_new_privileges)
                    self.assertEqual(refused.returncode, 1, describe(refused))
                    self.assertIn("can't create directory '/tmp/made'", refused.stderr, describe(refused))
                self.assert_succeeds(docker.run(sandbox, MKDIR, user=user))

    def test_the_program_does_not_see_what_was_asked(self):
        shown = self.recorded(["env"], f"--env=CALLCENSUS_TRACE=of:{self.profile}", "--env=OTHER=here")
        self.assert_succeeds(shown)
        self.assertIn("OTHER=here\n", shown.stdout)
        self.assertNotIn("CALLCENSUS", shown.stdout)

    def test_nor_does_what_is_executed_in_the_container(self):
        """docker gives it the environment that it keeps for the container."""
        name = sandbox.new_name("container")
        started = harness.containers.run(docker.docker_command(
            ["run", "--detach", "--name", name, "--network=none", "--runtime=callcensus",
             "--security-opt=seccomp=unconfined", f"--env=CALLCENSUS_TRACE=of:{self.profile}", "--env=OTHER=here",
             "busybox", "busybox", "sleep", str(harness.containers.COMMAND_TIMEOUT_S)]))
        self.assert_succeeds(started)
        try:
            shown = harness.containers.run(docker.docker_command(["exec", name, "busybox", "env"]))
            self.assert_succeeds(shown)
            self.assertIn("OTHER=here\n", shown.stdout)
            self.assertNotIn("CALLCENSUS", shown.stdout)
        finally:
            harness.containers.run(docker.docker_command(["rm", "--force", name]))

    def test_an_image_switches_off_no_filter(self):
        for option in ("engine:suspend", "existing:replace"):
            with self.subTest(option):
                refused = self.recorded(LS, f"--env=CALLCENSUS_TRACE=of:{self.profile}",
                                        f"--env=CALLCENSUS_OPTIONS={option}")
                self.assertNotEqual(refused.returncode, 0, describe(refused))
                self.assertEqual(refused.stdout, "", describe(refused))
                self.assertIn(f"{option} is not for a container to ask for", refused.stderr, describe(refused))
                self.assertFalse(self.profile.exists())

    def test_a_second_container_changes_no_profile_that_is_there(self):
        trace = f"--env=CALLCENSUS_TRACE=of:{self.profile}"
        self.assert_lists_the_root(self.recorded(LS, trace))
        before = self.profile.read_text()
        self.assert_succeeds(self.recorded(MKDIR, trace))
        self.assertEqual(self.profile.read_text(), before)
        second = self.profile.with_suffix(".2.json")
        self.assert_succeeds(docker.run(sandbox, MKDIR, second))

    def test_containers_that_do_not_ask_are_left_alone(self):
        self.assert_lists_the_root(self.recorded(LS))
        self.assertFalse(self.profile.exists())

    def test_what_is_asked_wrongly_stops_the_container(self):
        refused = self.recorded(LS, "--env=CALLCENSUS_TRACE=of:relative.json")
        self.assertNotEqual(refused.returncode, 0, describe(refused))
        self.assertEqual(refused.stdout, "", describe(refused))
        self.assertIn("invalid annotation: output file path must be absolute", refused.stderr,
                      describe(refused))

    def test_under_dockers_default_profile(self):
        """Without seccomp=unconfined: ls makes no call that the default denies."""
        name = sandbox.new_name("container")
        command = docker.docker_command(
            ["run", "--rm", "--name", name, "--network=none", "--runtime=callcensus",
             f"--env=CALLCENSUS_TRACE=of:{self.profile}", "busybox", "busybox", *LS])
        self.assert_lists_the_root(harness.containers.run(command))
        self.assert_lists_the_root(docker.run(sandbox, LS, self.profile))


if __name__ == "__main__":
    unittest.main()
