"""Real programs, each traced once in every way there is; the profile then runs the same thing under every
runtime, as root and as another user, with and without no_new_privileges, where a denial answers ENOSYS and
where it kills; a program that needs more fails.

    /usr/bin/python3 -m pytest tests/container/test_matrix.py -k TestNginx
"""

import json
import re
import shutil
import subprocess

import pytest

import container_case
from container_case import DENY_BY_KILLING, DENY_WITH_ENOSYS, USERS, each
from containers import CommandFailed, Docker, PlainLauncher, PodmanLauncher, RUNTIMES, describe

PROGRAMS = container_case.source_directory() / "programs"
# The same directory on the host, below the root file system, and in the containers.
FOLDER = "srv/callcensus-test"
# Coreutils again, and no other program here makes a named pipe.
NEEDS_MORE = ["mkfifo", "/tmp/made"]

LAUNCHERS = [*map(PlainLauncher, RUNTIMES), *map(PodmanLauncher, RUNTIMES), Docker]
# By what follows a denial.
DENIALS = {"enosys": DENY_WITH_ENOSYS, "kill": DENY_BY_KILLING}


@pytest.fixture(name="machine", scope="module")
def machine_with_programs(machine, sandbox):
    folder = machine.path / FOLDER
    shutil.copytree(PROGRAMS, folder)
    subprocess.run(["cc", "-o", folder / "children", folder / "children.c"], check=True)
    sandbox.install_hook()
    return machine


@pytest.fixture(scope="module")
def engine(sandbox):
    """The docker engine."""
    started = Docker(sandbox)
    yield started
    started.close()


@pytest.fixture
def launcher(request):
    return request.getfixturevalue("engine") if request.param is Docker else request.param


by_every_launcher = pytest.mark.parametrize("launcher", each(LAUNCHERS), indirect=True)


def on_host(sandbox, machine, recording, command, user):
    sandbox.callcensus(["trace", "-q", "--recording", recording, "-o", "/dev/null", "--", *command], user)


def by_hook(sandbox, machine, recording, command, user):
    """podman writes the files itself, so that no user but root is needed for that."""
    options = ["--annotation", f"io.containers.trace-syscall=of:{recording}.json",
               "--annotation", f"io.callcensus.options=recording:{recording}"]
    completed = PodmanLauncher("runc").run(sandbox, command, user=user, root=machine, options=options)
    if completed.returncode != 0:
        raise CommandFailed(describe(completed))


def by_command_line(sandbox, machine, recording, command, user):
    podman = PodmanLauncher("crun")
    run = podman.podman_command(sandbox, ["run", "--rm", *podman.arguments(sandbox, user=user, root=machine)])
    sandbox.callcensus(["trace", "-q", "--container", "--recording", recording, "-o", "/dev/null", "--", *run,
                        *command])


WAYS = [on_host, by_hook, by_command_line]


def what_it_allows(profile):
    """The profile without what its rules say of their reasons."""
    content = json.loads(profile.read_text(encoding="utf-8"))
    rules = content.pop("syscalls")
    assert all(set(rule) <= {"names", "action", "comment"} for rule in rules), profile
    allowed = sorted((name, rule["action"]) for rule in rules for name in rule["names"])
    return json.dumps([content, allowed], sort_keys=True)


class Matrix(container_case.ContainerTest):
    command = None
    prints = None
    _recordings = {}
    _profiles = {}
    _tried = set()

    def recording(self, way, machine, user):
        """Made for the first case that asks for it."""
        key = (way, *self.command, user)
        if key not in Matrix._recordings:
            path = self.sandbox.output_directory(user) / self.sandbox.new_name("recording")
            folder = machine.path / FOLDER if way is on_host else f"/{FOLDER}"
            way(self.sandbox, machine, path, [word.format(folder=folder) for word in self.command], user)
            Matrix._recordings[key] = path
        return Matrix._recordings[key]

    def profile_to_try(self, way, machine, user, denial, *case):
        """None where a profile that says the same has passed the same case: often all ways of tracing give the
        same profile."""
        derived = (way, *self.command, user, denial)
        if derived not in Matrix._profiles:
            Matrix._profiles[derived] = self.sandbox.derive([self.recording(way, machine, user)], DENIALS[denial])
        profile = Matrix._profiles[derived]
        key = (*self.command, what_it_allows(profile), user, *case)
        if key in Matrix._tried:
            return None
        Matrix._tried.add(key)
        return profile

    def assert_refused(self, denial, launcher, completed):
        if denial == "kill":
            self.assert_killed(completed)
            return
        assert completed.returncode == 1, describe(completed)
        # Docker did not know defaultErrnoRet before version 23: it denies with EPERM.
        errors = "Function not implemented|Operation not permitted" if launcher.name == "docker" else \
            "Function not implemented"
        assert re.search(f"mkfifo: cannot create fifo '/tmp/made': ({errors})\n", completed.stderr), \
            describe(completed)

    @by_every_launcher
    def test_without_a_profile_more_is_possible(self, launcher, machine):
        self.assert_succeeds(launcher.run(self.sandbox, NEEDS_MORE, root=machine))

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("denial", DENIALS)
    @by_every_launcher
    @pytest.mark.parametrize("no_new_privileges", [True, False])
    @pytest.mark.parametrize("user", USERS)
    def test_what_was_traced_runs(self, way, denial, launcher, no_new_privileges, user, machine):
        profile = self.profile_to_try(way, machine, user, denial, launcher.name, no_new_privileges)
        if profile is None:
            return
        completed = launcher.run(self.sandbox, [word.format(folder=f"/{FOLDER}") for word in self.command], profile,
                                 root=machine, no_new_privileges=no_new_privileges, user=user)
        assert completed.returncode == 0, describe(completed)
        assert self.prints in completed.stdout, describe(completed)

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("denial", DENIALS)
    @by_every_launcher
    @pytest.mark.parametrize("user", USERS)
    def test_more_is_refused(self, way, denial, launcher, user, machine):
        profile = self.profile_to_try(way, machine, user, denial, launcher.name)
        if profile is not None:
            self.assert_refused(denial, launcher,
                                launcher.run(self.sandbox, NEEDS_MORE, profile, root=machine, user=user))


class TestLs(Matrix):
    command = ["ls", "-l", "/"]
    prints = " usr\n"


class TestScript(Matrix):
    command = ["{folder}/script"]
    prints = "the script is done\n"


class TestNginx(Matrix):
    command = ["{folder}/nginx"]
    prints = "nginx has answered\n"


class TestRedis(Matrix):
    command = ["{folder}/redis"]
    prints = "redis has answered\n"


class TestPython(Matrix):
    command = ["{folder}/python"]
    prints = "python is done\n"


class TestChildren(Matrix):
    """A daemon with several children."""

    command = ["{folder}/children"]
    prints = "3 children have ended well\n"
