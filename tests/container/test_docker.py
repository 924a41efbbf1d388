"""A docker engine of our own: `callcensus runtime` beside runc makes profiles, and docker uses them.

    /usr/bin/python3 -m pytest tests/container/test_docker.py
"""

import shutil

import pytest

import container_case
import containers
from containers import Docker, describe

LS = ["ls", "/"]
MKDIR = ["mkdir", "/tmp/made"]


@pytest.fixture(scope="module")
def docker(sandbox):
    missing = Docker.missing() or (None if shutil.which("runc") else "runc is not installed")
    if missing:
        pytest.skip(missing)
    runtime = sandbox.path / "callcensus-runtime"
    runtime.symlink_to(sandbox.program)
    engine = Docker(sandbox, [("callcensus", runtime)])
    yield engine
    engine.close()


class TestRuntime(container_case.ContainerTest):
    @pytest.fixture(autouse=True)
    def _with_docker(self, docker):
        self.docker = docker

    def set_up(self):
        self.profile = self.sandbox.path / f"{self.sandbox.new_name('profile')}.json"

    def recorded(self, command, *options, **container):
        return self.docker.run(self.sandbox, command, options=["--runtime=callcensus", *options], **container)

    @pytest.mark.parametrize("user", container_case.USERS)
    def test_trace_and_use(self, user):
        self.assert_lists_the_root(
            self.recorded(LS, f"--env=CALLCENSUS_TRACE=of:{self.profile}", user=user))
        assert {"execve", "getdents64", "exit_group"} <= self.observed_by(self.profile)
        for no_new_privileges in (True, False):
            self.assert_lists_the_root(self.docker.run(
                self.sandbox, LS, self.profile, no_new_privileges=no_new_privileges, user=user))
            refused = self.docker.run(self.sandbox, MKDIR, self.profile, user=user,
                                      no_new_privileges=no_new_privileges)
            assert refused.returncode == 1, describe(refused)
            assert "can't create directory '/tmp/made'" in refused.stderr, describe(refused)
        self.assert_succeeds(self.docker.run(self.sandbox, MKDIR, user=user))

    def test_the_program_does_not_see_what_was_asked(self):
        shown = self.recorded(["env"], f"--env=CALLCENSUS_TRACE=of:{self.profile}", "--env=OTHER=here")
        self.assert_succeeds(shown)
        assert "OTHER=here\n" in shown.stdout
        assert "CALLCENSUS" not in shown.stdout

    def test_nor_does_what_is_executed_in_the_container(self):
        """docker gives it the environment that it keeps for the container."""
        name = self.sandbox.new_name("container")
        started = containers.run(self.docker.docker_command(
            ["run", "--detach", "--name", name, "--network=none", "--runtime=callcensus",
             "--security-opt=seccomp=unconfined", f"--env=CALLCENSUS_TRACE=of:{self.profile}", "--env=OTHER=here",
             "busybox", "busybox", "sleep", str(containers.COMMAND_TIMEOUT_S)]))
        self.assert_succeeds(started)
        try:
            shown = containers.run(self.docker.docker_command(["exec", name, "busybox", "env"]))
            self.assert_succeeds(shown)
            assert "OTHER=here\n" in shown.stdout
            assert "CALLCENSUS" not in shown.stdout
        finally:
            containers.run(self.docker.docker_command(["rm", "--force", name]))

    @pytest.mark.parametrize("option", ["engine:suspend", "existing:replace"])
    def test_an_image_switches_off_no_filter(self, option):
        refused = self.recorded(LS, f"--env=CALLCENSUS_TRACE=of:{self.profile}",
                                f"--env=CALLCENSUS_OPTIONS={option}")
        assert refused.returncode != 0, describe(refused)
        assert refused.stdout == "", describe(refused)
        assert f"{option} is not for a container to ask for" in refused.stderr, describe(refused)
        assert not self.profile.exists()

    def test_a_second_container_changes_no_profile_that_is_there(self):
        trace = f"--env=CALLCENSUS_TRACE=of:{self.profile}"
        self.assert_lists_the_root(self.recorded(LS, trace))
        before = self.profile.read_text()
        self.assert_succeeds(self.recorded(MKDIR, trace))
        assert self.profile.read_text() == before
        second = self.profile.with_suffix(".2.json")
        self.assert_succeeds(self.docker.run(self.sandbox, MKDIR, second))

    def test_containers_that_do_not_ask_are_left_alone(self):
        self.assert_lists_the_root(self.recorded(LS))
        assert not self.profile.exists()

    def test_what_is_asked_wrongly_stops_the_container(self):
        refused = self.recorded(LS, "--env=CALLCENSUS_TRACE=of:relative.json")
        assert refused.returncode != 0, describe(refused)
        assert refused.stdout == "", describe(refused)
        assert "invalid annotation: output file path must be absolute" in refused.stderr, describe(refused)

    def test_under_dockers_default_profile(self):
        """Without seccomp=unconfined: ls makes no call that the default denies."""
        name = self.sandbox.new_name("container")
        command = self.docker.docker_command(
            ["run", "--rm", "--name", name, "--network=none", "--runtime=callcensus",
             f"--env=CALLCENSUS_TRACE=of:{self.profile}", "busybox", "busybox", *LS])
        self.assert_lists_the_root(containers.run(command))
        self.assert_lists_the_root(self.docker.run(self.sandbox, LS, self.profile))
