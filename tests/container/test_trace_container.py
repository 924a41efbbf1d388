"""`callcensus trace --container -- podman run ...`, and the same of exec, runc and crun: what happens inside is
recorded, not podman, its monitor and the runtime around it.

    /usr/bin/python3 -m pytest tests/container/test_trace_container.py
"""

import pathlib
import re
import shutil
import subprocess

import pytest

import container_case
from container_case import each
from containers import PlainLauncher, PodmanLauncher, RootFilesystem, RUNTIMES, describe, read_json, run

PODMAN = [*map(PodmanLauncher, RUNTIMES)]
PLAIN = [*map(PlainLauncher, RUNTIMES)]
LS = ["ls", "/"]
MKDIR = ["mkdir", "/tmp/made"]
# Made by the engine or the runtime around a container, and by nothing inside.
FROM_OUTSIDE = {"mount", "pivot_root", "setns", "unshare", "seccomp", "sethostname", "clone3"}


@pytest.fixture(scope="module", autouse=True)
def hook(sandbox):
    sandbox.install_hook()


class TraceTest(container_case.ContainerTest):
    def trace(self, command, options=()):
        """Runs callcensus with the command; returns it and the profile."""
        profile = self.sandbox.path / f"{self.sandbox.new_name('profile')}.json"
        traced = run([self.sandbox.program, "trace", "--container", "-o", profile, *options, "--", *command])
        return traced, profile

    def assert_profile_of_ls(self, launcher, profile):
        observed = self.observed_by(profile)
        assert {"execve", "getdents64", "exit_group"} <= observed
        assert observed & FROM_OUTSIDE == set()
        self.assert_lists_the_root(launcher.run(self.sandbox, LS, profile))
        refused = launcher.run(self.sandbox, MKDIR, profile)
        assert refused.returncode == 1, describe(refused)
        assert "Function not implemented" in refused.stderr, describe(refused)


class TestRun(TraceTest):
    def podman_run(self, launcher, command, options=()):
        return launcher.podman_command(
            self.sandbox, ["run", "--rm", *options, *launcher.arguments(self.sandbox), *command])

    @pytest.mark.parametrize("launcher", each(PODMAN))
    def test_podman_run(self, launcher):
        traced, profile = self.trace(self.podman_run(launcher, LS))
        self.assert_lists_the_root(traced)
        self.assert_profile_of_ls(launcher, profile)

    @pytest.mark.parametrize("launcher", each(PODMAN))
    def test_it_is_what_the_hook_records(self, launcher):
        by_hook = self.sandbox.path / f"{self.sandbox.new_name('profile')}.json"
        annotation = ["--annotation", f"io.containers.trace-syscall=of:{by_hook}"]
        self.assert_succeeds(launcher.run(self.sandbox, LS, options=annotation))
        _, profile = self.trace(self.podman_run(launcher, LS))
        assert self.observed_by(profile) == self.observed_by(by_hook)

    @pytest.mark.parametrize("launcher", each(PODMAN))
    def test_the_status_is_the_containers(self, launcher):
        traced, _ = self.trace(self.podman_run(launcher, ["sh", "-c", "exit 7"]))
        assert traced.returncode == 7, describe(traced)

    @pytest.mark.parametrize("launcher", each(PODMAN))
    def test_podman_removes_a_container_that_is_killed_by_a_timeout(self, launcher):
        # As the first process it ignores SIGTERM. podman ends by the signal itself where it finds no
        # container any more that it could pass it on to, so there is time for that.
        traced, profile = self.trace(self.podman_run(launcher, ["sleep", "120"]),
                                     ["--timeout", "3s", "--kill-after", "1s"])
        assert traced.returncode == 137, describe(traced)
        assert "execve" in self.observed_by(profile)
        left = launcher.podman(self.sandbox, ["ps", "--all", "--quiet"])
        assert left.stdout == "", describe(left)

    @pytest.mark.parametrize("launcher", each(PODMAN))
    @pytest.mark.parametrize("engine", ["ptrace", "adaptive"])
    def test_podman_survives_a_callcensus_that_is_killed(self, launcher, engine):
        name = self.sandbox.new_name("container")
        command = self.podman_run(launcher, ["sh", "-c", "echo up; sleep 120"], ["--name", name])
        trace = [self.sandbox.program, "trace", "-q", "--container", "--engine", engine, "-o", "/dev/null", "--",
                 *command]
        with subprocess.Popen(list(map(str, trace)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, cwd=self.sandbox.path) as tracer:
            assert tracer.stdout.readline() == b"up\n"
            tracer.kill()
        self.assert_succeeds(launcher.podman(self.sandbox, ["rm", "--force", "--ignore", "--time", "0", name]))
        left = launcher.podman(self.sandbox, ["ps", "--all", "--quiet"])
        assert left.stdout == "", describe(left)

    @pytest.mark.parametrize("launcher", each(PLAIN))
    def test_a_runtime_by_itself(self, launcher):
        name, bundle = launcher.bundle(self.sandbox, LS)
        traced, profile = self.trace(
            [*launcher.runtime_command(self.sandbox), "run", "--bundle", bundle, name])
        self.assert_lists_the_root(traced)
        self.assert_profile_of_ls(launcher, profile)


class TestExec(TraceTest):
    WAITING = ["sleep", "120"]

    @pytest.mark.parametrize("launcher", each(PODMAN))
    def test_podman_exec(self, launcher):
        with launcher.running(self.sandbox, self.WAITING) as name:
            traced, profile = self.trace(
                launcher.podman_command(self.sandbox, ["exec", name, "busybox", *LS]))
            self.assert_lists_the_root(traced)
        self.assert_profile_of_ls(launcher, profile)

    @pytest.mark.parametrize("launcher", each(PLAIN))
    def test_a_runtime_by_itself(self, launcher):
        with launcher.started(self.sandbox, self.WAITING) as (name, _):
            traced, profile = self.trace(
                [*launcher.runtime_command(self.sandbox), "exec", name, "busybox", *LS])
            self.assert_lists_the_root(traced)
        self.assert_profile_of_ls(launcher, profile)


class TestSites(TraceTest):
    """A call's module is looked up where the process sees it."""

    SLEEP = pathlib.Path("/usr/bin/sleep")

    def set_up(self):
        if not shutil.which("readelf"):
            pytest.skip("readelf is not installed")

    def build_id(self, path):
        notes = run(["readelf", "-n", path])
        return re.search(r"Build ID: (\w+)", notes.stdout)[1]

    def root_with_other_libraries(self):
        """A root file system with a program of the machine; of what it loads the build-ids are others."""
        root = self.sandbox.path / self.sandbox.new_name("root")
        shutil.copytree(self.sandbox.rootfs, root)
        needed = {self.SLEEP, *map(pathlib.Path, re.findall(r"/\S+", run(["ldd", self.SLEEP]).stdout))}
        for path in needed:
            copy = root / path.relative_to("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            build_id = bytes.fromhex(self.build_id(path))
            copy.write_bytes(path.read_bytes().replace(build_id, bytes(255 - byte for byte in build_id)))
            copy.chmod(0o755)
        return RootFilesystem(root)

    def sites_of(self, launcher, root, command, call):
        recording = self.sandbox.path / f"{self.sandbox.new_name('recording')}.json"
        if launcher in PODMAN:
            run_it = launcher.podman_command(
                self.sandbox, ["run", "--rm", *launcher.arguments(self.sandbox, root=root), *command])
        else:
            name, bundle = launcher.bundle(self.sandbox, command, root=root)
            run_it = [*launcher.runtime_command(self.sandbox), "run", "--bundle", bundle, name]
        traced, _ = self.trace(run_it, ["--recording", recording])
        self.assert_succeeds(traced)
        content = read_json(recording)
        sites = [site for of in content["calls"] if of["name"] == call for site in of["sites"]]
        return [(site | content["modules"][site["module"]]) for site in sites]

    @pytest.mark.parametrize("launcher", each(PODMAN + PLAIN))
    def test_of_a_library_that_is_another_one_on_the_host(self, launcher):
        root = self.root_with_other_libraries()

        site, = self.sites_of(launcher, root, [self.SLEEP, "0.001"], "clock_nanosleep")
        on_host, inside = site["path"], root.path / site["path"].removeprefix("/")
        assert pathlib.Path(on_host).name == "libc.so.6"
        assert site["symbol"] == "clock_nanosleep"
        assert site["build_id"] == self.build_id(inside)
        assert site["build_id"] != self.build_id(on_host)

    @pytest.mark.parametrize("launcher", each(PODMAN + PLAIN))
    def test_of_a_program_that_is_not_on_the_host(self, launcher):
        program = self.sandbox.rootfs / "bin/busybox-inside"
        shutil.copy(self.sandbox.rootfs / "bin/busybox", program)
        root = RootFilesystem(self.sandbox.rootfs, ("busybox-inside",))

        sites = self.sites_of(launcher, root, LS, "getdents64")
        assert ({(site["path"], site["build_id"]) for site in sites} ==
                {("/bin/busybox-inside", self.build_id(program))})


class TestHints(TraceTest):
    """What cannot work is refused in one line, which names the way that does."""

    def assert_refused_in_one_line(self, completed, *words):
        assert completed.returncode == 125, describe(completed)
        assert completed.stdout == "", describe(completed)
        assert completed.stderr.count("\n") == 1, describe(completed)
        for word in words:
            assert word in completed.stderr

    def test_docker_asks_a_daemon(self):
        refused, profile = self.trace(["docker", "run", "busybox", "ls"])
        self.assert_refused_in_one_line(refused, "daemon", "callcensus runtime")
        assert not profile.exists()

    def test_another_user_than_root(self):
        user = container_case.SOMEONE_ELSE
        refused = run([self.sandbox.program, "trace", "--container", "--", "podman", "run", "busybox", "ls"],
                      user=user, group=user, extra_groups=[], cwd=self.sandbox.output_directory(user))
        self.assert_refused_in_one_line(refused, "root", "set-user-ID", "callcensus hook")

    @pytest.mark.parametrize("runtime", RUNTIMES)
    def test_without_the_option_a_hint_names_it(self, runtime):
        if PlainLauncher(runtime).missing():
            pytest.skip(PlainLauncher(runtime).missing())
        traced = run([self.sandbox.program, "trace", "-o", "/dev/null", "--", runtime, "run", "--help"])
        self.assert_succeeds(traced)
        assert "--container records only what happens inside" in traced.stderr


class TestAttach(TraceTest):
    @pytest.mark.parametrize("launcher", each(PLAIN))
    def test_to_a_container_from_outside(self, launcher):
        """`trace -p` of the first process, which goes on afterwards."""
        profile = self.sandbox.path / f"{self.sandbox.new_name('profile')}.json"
        with launcher.started(self.sandbox, ["sh", "-c", "while :; do ls / >/dev/null; done"]) as (_, pid):
            traced = run([self.sandbox.program, "trace", "-p", pid, "--timeout", "1s", "-o", profile])
            self.assert_succeeds(traced)
            with open(f"/proc/{pid}/status", encoding="utf-8") as status:
                assert "TracerPid:\t0\n" in status.read()
        # busybox' own shell runs its own ls, in a child, without execve.
        assert {"clone", "getdents64", "exit_group"} <= self.observed_by(profile)
