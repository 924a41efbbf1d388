#!/usr/bin/python3
"""`callcensus trace --container -- podman run ...`, and the same of exec, runc and crun: what happens inside is
recorded, not podman, its monitor and the runtime around it.

    CALLCENSUS=build/default/callcensus python3 tests/container/test_trace_container.py -v
"""

import pathlib
import re
import shutil
import subprocess
import unittest

import harness
from containers import PlainLauncher, PodmanLauncher, RootFilesystem, RUNTIMES, describe, read_json, run

PODMAN = [*map(PodmanLauncher, RUNTIMES)]
PLAIN = [*map(PlainLauncher, RUNTIMES)]
LS = ["ls", "/"]
MKDIR = ["mkdir", "/tmp/made"]
# Made by the engine or the runtime around a container, and by nothing inside.
FROM_OUTSIDE = {"mount", "pivot_root", "setns", "unshare", "seccomp", "sethostname", "clone3"}

sandbox = None


def setUpModule():
    global sandbox
    sandbox = harness.sandbox_of_module()
    sandbox.install_hook()


class TraceTest(harness.ContainerTest):
    def trace(self, command, options=()):
        """Runs callcensus with the command; returns it and the profile."""
        profile = sandbox.path / f"{sandbox.new_name('profile')}.json"
        traced = run([sandbox.program, "trace", "--container", "-o", profile, *options, "--", *command])
        return traced, profile

    def assert_profile_of_ls(self, launcher, profile):
        observed = self.observed_by(profile)
        self.assertLessEqual({"execve", "getdents64", "exit_group"}, observed)
        self.assertEqual(observed & FROM_OUTSIDE, set())
        self.assert_lists_the_root(launcher.run(sandbox, LS, profile))
        refused = launcher.run(sandbox, MKDIR, profile)
        self.assertEqual(refused.returncode, 1, describe(refused))
        self.assertIn("Function not implemented", refused.stderr, describe(refused))


class Run(TraceTest):
    def podman_run(self, launcher, command, options=()):
        return launcher.podman_command(
            sandbox, ["run", "--rm", *options, *launcher.arguments(sandbox), *command])

    def test_podman_run(self):
        def check(launcher):
            traced, profile = self.trace(self.podman_run(launcher, LS))
            self.assert_lists_the_root(traced)
            self.assert_profile_of_ls(launcher, profile)

        self.for_each(PODMAN, check)

    def test_it_is_what_the_hook_records(self):
        def check(launcher):
            by_hook = sandbox.path / f"{sandbox.new_name('profile')}.json"
            annotation = ["--annotation", f"io.containers.trace-syscall=of:{by_hook}"]
            self.assert_succeeds(launcher.run(sandbox, LS, options=annotation))
            _, profile = self.trace(self.podman_run(launcher, LS))
            self.assertEqual(self.observed_by(profile), self.observed_by(by_hook))

        self.for_each(PODMAN, check)

    def test_the_status_is_the_containers(self):
        def check(launcher):
            traced, _ = self.trace(self.podman_run(launcher, ["sh", "-c", "exit 7"]))
            self.assertEqual(traced.returncode, 7, describe(traced))

        self.for_each(PODMAN, check)

    def test_podman_removes_a_container_that_is_killed_by_a_timeout(self):
        def check(launcher):
            # As the first process it ignores SIGTERM. podman ends by the signal itself where it finds no
            # container any more that it could pass it on to, so there is time for that.
            traced, profile = self.trace(self.podman_run(launcher, ["sleep", "120"]),
                                         ["--timeout", "3s", "--kill-after", "1s"])
            self.assertEqual(traced.returncode, 137, describe(traced))
            self.assertIn("execve", self.observed_by(profile))
            left = launcher.podman(sandbox, ["ps", "--all", "--quiet"])
            self.assertEqual(left.stdout, "", describe(left))

        self.for_each(PODMAN, check)

    def test_podman_survives_a_callcensus_that_is_killed(self):
        def check(launcher, engine):
            name = sandbox.new_name("container")
            command = self.podman_run(launcher, ["sh", "-c", "echo up; sleep 120"], ["--name", name])
            trace = [sandbox.program, "trace", "-q", "--container", "--engine", engine, "-o", "/dev/null", "--",
                     *command]
            with subprocess.Popen(list(map(str, trace)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, cwd=sandbox.path) as tracer:
                self.assertEqual(tracer.stdout.readline(), b"up\n")
                tracer.kill()
            self.assert_succeeds(launcher.podman(sandbox, ["rm", "--force", "--ignore", "--time", "0", name]))
            left = launcher.podman(sandbox, ["ps", "--all", "--quiet"])
            self.assertEqual(left.stdout, "", describe(left))

        self.for_each(PODMAN, check, engine=("ptrace", "adaptive"))

    def test_a_runtime_by_itself(self):
        def check(launcher):
            name, bundle = launcher.bundle(sandbox, LS)
            traced, profile = self.trace(
                [*launcher.runtime_command(sandbox), "run", "--bundle", bundle, name])
            self.assert_lists_the_root(traced)
            self.assert_profile_of_ls(launcher, profile)

        self.for_each(PLAIN, check)


class Exec(TraceTest):
    WAITING = ["sleep", "120"]

    def test_podman_exec(self):
        def check(launcher):
            with launcher.running(sandbox, self.WAITING) as name:
                traced, profile = self.trace(
                    launcher.podman_command(sandbox, ["exec", name, "busybox", *LS]))
                self.assert_lists_the_root(traced)
            self.assert_profile_of_ls(launcher, profile)

        self.for_each(PODMAN, check)

    def test_a_runtime_by_itself(self):
        def check(launcher):
            with launcher.started(sandbox, self.WAITING) as (name, _):
                traced, profile = self.trace(
                    [*launcher.runtime_command(sandbox), "exec", name, "busybox", *LS])
                self.assert_lists_the_root(traced)
            self.assert_profile_of_ls(launcher, profile)

        self.for_each(PLAIN, check)


class Sites(TraceTest):
    """A call's module is looked up where the process sees it."""

    SLEEP = pathlib.Path("/usr/bin/sleep")

    def setUp(self):
        if not shutil.which("readelf"):
            self.skipTest("readelf is not installed")

    def build_id(self, path):
        notes = run(["readelf", "-n", path])
        return re.search(r"Build ID: (\w+)", notes.stdout)[1]

    def root_with_other_libraries(self):
        """A root file system with a program of the machine; of what it loads the build-ids are others."""
        root = sandbox.path / sandbox.new_name("root")
        shutil.copytree(sandbox.rootfs, root)
        needed = {self.SLEEP, *map(pathlib.Path, re.findall(r"/\S+", run(["ldd", self.SLEEP]).stdout))}
        for path in needed:
            copy = root / path.relative_to("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            build_id = bytes.fromhex(self.build_id(path))
            copy.write_bytes(path.read_bytes().replace(build_id, bytes(255 - byte for byte in build_id)))
            copy.chmod(0o755)
        return RootFilesystem(root)

    def sites_of(self, launcher, root, command, call):
        recording = sandbox.path / f"{sandbox.new_name('recording')}.json"
        if launcher in PODMAN:
            run_it = launcher.podman_command(
                sandbox, ["run", "--rm", *launcher.arguments(sandbox, root=root), *command])
        else:
            name, bundle = launcher.bundle(sandbox, command, root=root)
            run_it = [*launcher.runtime_command(sandbox), "run", "--bundle", bundle, name]
        traced, _ = self.trace(run_it, ["--recording", recording])
        self.assert_succeeds(traced)
        content = read_json(recording)
        sites = [site for of in content["calls"] if of["name"] == call for site in of["sites"]]
        return [(site | content["modules"][site["module"]]) for site in sites]

    def test_of_a_library_that_is_another_one_on_the_host(self):
        root = self.root_with_other_libraries()

        def check(launcher):
            site, = self.sites_of(launcher, root, [self.SLEEP, "0.001"], "clock_nanosleep")
            on_host, inside = site["path"], root.path / site["path"].removeprefix("/")
            self.assertEqual(pathlib.Path(on_host).name, "libc.so.6")
            self.assertEqual(site["symbol"], "clock_nanosleep")
            self.assertEqual(site["build_id"], self.build_id(inside))
            self.assertNotEqual(site["build_id"], self.build_id(on_host))

        self.for_each(PODMAN + PLAIN, check)

    def test_of_a_program_that_is_not_on_the_host(self):
        program = sandbox.rootfs / "bin/busybox-inside"
        shutil.copy(sandbox.rootfs / "bin/busybox", program)
        root = RootFilesystem(sandbox.rootfs, ("busybox-inside",))

        def check(launcher):
            sites = self.sites_of(launcher, root, LS, "getdents64")
            self.assertEqual({(site["path"], site["build_id"]) for site in sites},
                             {("/bin/busybox-inside", self.build_id(program))})

        self.for_each(PODMAN + PLAIN, check)


class Hints(TraceTest):
    """What cannot work is refused in one line, which names the way that does."""

    def assert_refused_in_one_line(self, completed, *words):
        self.assertEqual(completed.returncode, 125, describe(completed))
        self.assertEqual(completed.stdout, "", describe(completed))
        self.assertEqual(completed.stderr.count("\n"), 1, describe(completed))
        for word in words:
            self.assertIn(word, completed.stderr)

    def test_docker_asks_a_daemon(self):
        refused, profile = self.trace(["docker", "run", "busybox", "ls"])
        self.assert_refused_in_one_line(refused, "daemon", "callcensus runtime")
        self.assertFalse(profile.exists())

    def test_another_user_than_root(self):
        user = harness.SOMEONE_ELSE
        refused = run([sandbox.program, "trace", "--container", "--", "podman", "run", "busybox", "ls"],
                      user=user, group=user, extra_groups=[], cwd=sandbox.output_directory(user))
        self.assert_refused_in_one_line(refused, "root", "set-user-ID", "callcensus hook")

    def test_without_the_option_a_hint_names_it(self):
        for runtime in RUNTIMES:
            with self.subTest(runtime=runtime):
                if PlainLauncher(runtime).missing():
                    self.skipTest(PlainLauncher(runtime).missing())
                traced = run([sandbox.program, "trace", "-o", "/dev/null", "--", runtime, "run", "--help"])
                self.assert_succeeds(traced)
                self.assertIn("--container records only what happens inside", traced.stderr)


class Attach(TraceTest):
    def test_to_a_container_from_outside(self):
        """`trace -p` of the first process, which goes on afterwards."""
        def check(launcher):
            profile = sandbox.path / f"{sandbox.new_name('profile')}.json"
            with launcher.started(sandbox, ["sh", "-c", "while :; do ls / >/dev/null; done"]) as (_, pid):
                traced = run([sandbox.program, "trace", "-p", pid, "--timeout", "1s", "-o", profile])
                self.assert_succeeds(traced)
                with open(f"/proc/{pid}/status", encoding="utf-8") as status:
                    self.assertIn("TracerPid:\t0\n", status.read())
            # busybox' own shell runs its own ls, in a child, without execve.
            self.assertLessEqual({"clone", "getdents64", "exit_group"}, self.observed_by(profile))

        self.for_each(PLAIN, check)


if __name__ == "__main__":
    unittest.main()
