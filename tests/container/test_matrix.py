#!/usr/bin/python3
"""Real programs, each traced once in every way there is; the profile then runs the same thing under every
runtime, as root and as another user, with and without no_new_privileges, where a denial answers ENOSYS and
where it kills; a program that needs more fails.

    CALLCENSUS=build/default/callcensus python3 tests/container/test_matrix.py -v Nginx
"""

import functools
import json
import shutil
import subprocess
import unittest

import harness
from containers import CommandFailed, Docker, PlainLauncher, PodmanLauncher, RUNTIMES, describe
from harness import DENY_BY_KILLING, DENY_WITH_ENOSYS, USERS

PROGRAMS = harness.source_directory() / "programs"
# The same directory on the host, below the root file system, and in the containers.
FOLDER = "srv/callcensus-test"
# Coreutils again, and no other program here makes a named pipe.
NEEDS_MORE = ["mkfifo", "/tmp/made"]

sandbox = None
machine = None
launchers = [*map(PlainLauncher, RUNTIMES), *map(PodmanLauncher, RUNTIMES), Docker]


def setUpModule():
    global sandbox, machine
    sandbox = harness.sandbox_of_module()
    machine = harness.machine_of(sandbox)
    folder = machine.path / FOLDER
    shutil.copytree(PROGRAMS, folder)
    subprocess.run(["cc", "-o", folder / "children", folder / "children.c"], check=True)
    sandbox.install_hook()
    if not Docker.missing():
        engine = Docker(sandbox)
        unittest.addModuleCleanup(engine.close)
        launchers[-1] = engine


def on_host(recording, command, user):
    sandbox.callcensus(["trace", "-q", "--recording", recording, "-o", "/dev/null", "--", *command], user)


def by_hook(recording, command, user):
    """podman writes the files itself, so that no user but root is needed for that."""
    options = ["--annotation", f"io.containers.trace-syscall=of:{recording}.json",
               "--annotation", f"io.callcensus.options=recording:{recording}"]
    completed = PodmanLauncher("runc").run(sandbox, command, user=user, root=machine, options=options)
    if completed.returncode != 0:
        raise CommandFailed(describe(completed))


def by_command_line(recording, command, user):
    podman = PodmanLauncher("crun")
    run = podman.podman_command(sandbox, ["run", "--rm", *podman.arguments(sandbox, user=user, root=machine)])
    sandbox.callcensus(["trace", "-q", "--container", "--recording", recording, "-o", "/dev/null", "--", *run,
                        *command])


WAYS = (on_host, by_hook, by_command_line)


def what_it_allows(profile):
    """The profile without what its rules say of their reasons."""
    content = json.loads(profile.read_text(encoding="utf-8"))
    rules = content.pop("syscalls")
    assert all(set(rule) <= {"names", "action", "comment"} for rule in rules), profile
    allowed = sorted((name, rule["action"]) for rule in rules for name in rule["names"])
    return json.dumps([content, allowed], sort_keys=True)


class Matrix:
    command = None
    prints = None
    _tried = set()

    @functools.cache
    def _recording(way, command, user):
        recording = sandbox.output_directory(user) / sandbox.new_name("recording")
        folder = machine.path / FOLDER if way is on_host else f"/{FOLDER}"
        way(recording, [word.format(folder=folder) for word in command], user)
        return recording

    def check(self, way, policy, assert_refused):
        command = tuple(self.command)
        profiles = {user: sandbox.derive([Matrix._recording(way, command, user)], policy) for user in USERS}
        # Often all ways of tracing give the same profile, which need not be tried again.
        meaning = (command, *[what_it_allows(profiles[user]) for user in USERS])
        if meaning in Matrix._tried:
            return
        Matrix._tried.add(meaning)
        in_container = [word.format(folder=f"/{FOLDER}") for word in command]

        def check_one(launcher, **container):
            profile = profiles[container["user"]]
            completed = launcher.run(sandbox, in_container, profile, root=machine, **container)
            self.assertEqual(completed.returncode, 0, describe(completed))
            self.assertIn(self.prints, completed.stdout, describe(completed))

        def check_more(launcher, user):
            refused = launcher.run(sandbox, NEEDS_MORE, profiles[user], root=machine, user=user)
            assert_refused(launcher, refused)

        self.for_each(launchers, check_one, no_new_privileges=(True, False), user=USERS)
        self.for_each(launchers, check_more, user=USERS)

    def assert_refused_with_enosys(self, launcher, completed):
        self.assertEqual(completed.returncode, 1, describe(completed))
        # Docker did not know defaultErrnoRet before version 23: it denies with EPERM.
        errors = "Function not implemented|Operation not permitted" if launcher.name == "docker" else \
            "Function not implemented"
        self.assertRegex(completed.stderr, f"mkfifo: cannot create fifo '/tmp/made': ({errors})\n",
                         describe(completed))

    def assert_refused_by_killing(self, _, completed):
        self.assert_killed(completed)

    def test_without_a_profile_more_is_possible(self):
        def check_one(launcher):
            self.assert_succeeds(launcher.run(sandbox, NEEDS_MORE, root=machine))

        self.for_each(launchers, check_one)

    def test_traced_on_the_host_denied_by_enosys(self):
        self.check(on_host, DENY_WITH_ENOSYS, self.assert_refused_with_enosys)

    def test_traced_on_the_host_denied_by_killing(self):
        self.check(on_host, DENY_BY_KILLING, self.assert_refused_by_killing)

    def test_traced_by_the_hook_denied_by_enosys(self):
        self.check(by_hook, DENY_WITH_ENOSYS, self.assert_refused_with_enosys)

    def test_traced_by_the_hook_denied_by_killing(self):
        self.check(by_hook, DENY_BY_KILLING, self.assert_refused_by_killing)

    def test_traced_from_the_command_line_denied_by_enosys(self):
        self.check(by_command_line, DENY_WITH_ENOSYS, self.assert_refused_with_enosys)

    def test_traced_from_the_command_line_denied_by_killing(self):
        self.check(by_command_line, DENY_BY_KILLING, self.assert_refused_by_killing)


class Ls(Matrix, harness.ContainerTest):
    command = ["ls", "-l", "/"]
    prints = " usr\n"


class Script(Matrix, harness.ContainerTest):
    command = ["{folder}/script"]
    prints = "the script is done\n"


class Nginx(Matrix, harness.ContainerTest):
    command = ["{folder}/nginx"]
    prints = "nginx has answered\n"


class Redis(Matrix, harness.ContainerTest):
    command = ["{folder}/redis"]
    prints = "redis has answered\n"


class Python(Matrix, harness.ContainerTest):
    command = ["{folder}/python"]
    prints = "python is done\n"


class Children(Matrix, harness.ContainerTest):
    """A daemon with several children."""

    command = ["{folder}/children"]
    prints = "3 children have ended well\n"


if __name__ == "__main__":
    unittest.main()
