"""`callcensus hook` as podman, runc and crun start it: what oci-seccomp-bpf-hook is tested for, the ways in
which containers are started, and the ways in which they end. A profile has to be there the moment podman
returns: nothing here waits for it.

    /usr/bin/python3 -m pytest tests/container/test_hook.py
"""

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import time

import pytest

import containers
import container_case
from container_case import each
from containers import PlainLauncher, PodmanLauncher, RUNTIMES, describe

LAUNCHERS = [*map(PodmanLauncher, RUNTIMES)]
LS = ["ls", "/"]
MKDIR = ["mkdir", "/tmp/made"]
ENDS_SOME_DAY = str(2 * containers.COMMAND_TIMEOUT_S)
INIT = "/usr/bin/docker-init"
STATUS_OF_SIGKILL = 137


@pytest.fixture(scope="module", autouse=True)
def hook(sandbox):
    sandbox.install_hook()


def annotated(paths, options=None):
    annotations = ["--annotation", f"io.containers.trace-syscall={paths}"]
    return annotations + (["--annotation", f"io.callcensus.options={options}"] if options else [])


class HookTest(container_case.ContainerTest):
    def set_up(self):
        self.profile = self.sandbox.path / f"{self.sandbox.new_name('profile')}.json"

    def run_recorded(self, launcher, command, paths=None, options=(), **container):
        return launcher.run(self.sandbox, command, options=[*annotated(paths or f"of:{self.profile}"), *options],
                            **container)

    def assert_recorded(self, *names):
        """That the profile is there and has the names, exit_group, which is the last call, among them."""
        assert {"execve", *names} <= self.observed_by(self.profile)

    def assert_refused(self, completed):
        assert completed.returncode == 1, describe(completed)
        assert "Function not implemented" in completed.stderr, describe(completed)

    def new_fifo(self):
        """A directory for a volume, and a named pipe in it by which a container says that it runs."""
        folder = self.sandbox.path / self.sandbox.new_name("share")
        folder.mkdir()
        os.mkfifo(folder / "ready")
        return folder

    @contextlib.contextmanager
    def running(self, launcher, command):
        """A container that has told that it runs, and the pipe by which it did."""
        self.set_up()
        folder = self.new_fifo()
        options = [*annotated(f"of:{self.profile}"), f"--volume={folder}:/share"]
        with launcher.running(self.sandbox, command, options=options) as name:
            assert (folder / "ready").read_text() == "\n"
            yield name, folder / "ready"


class TestScenarios(HookTest):
    """Those of oci-seccomp-bpf-hook's own tests."""

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_trace_and_use(self, launcher):
        self.assert_lists_the_root(self.run_recorded(launcher, LS))
        self.assert_recorded("getdents64", "exit_group")
        for no_new_privileges in (False, True):
            self.assert_lists_the_root(
                launcher.run(self.sandbox, LS, self.profile, no_new_privileges=no_new_privileges))

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_what_was_not_traced_fails(self, launcher):
        self.assert_succeeds(self.run_recorded(launcher, LS))
        self.assert_refused(launcher.run(self.sandbox, MKDIR, self.profile))

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_a_baseline_is_extended(self, launcher):
        baseline = self.profile.with_suffix(".base.json")
        self.assert_succeeds(self.run_recorded(launcher, LS, f"of:{baseline}"))
        for paths in (f"of:{self.profile};if:{baseline}", f"if:{baseline};of:{self.profile}"):
            self.profile.unlink(missing_ok=True)
            self.assert_succeeds(self.run_recorded(launcher, MKDIR, paths))
            self.assert_lists_the_root(launcher.run(self.sandbox, LS, self.profile))
            self.assert_succeeds(launcher.run(self.sandbox, MKDIR, self.profile))

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_what_the_baseline_blocks_stays_blocked(self, launcher):
        baseline = self.profile.with_suffix(".base.json")
        rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}
        baseline.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule]}))
        self.assert_succeeds(
            self.run_recorded(launcher, MKDIR, f"of:{self.profile};if:{baseline}"))
        refused = launcher.run(self.sandbox, MKDIR, self.profile)
        assert refused.returncode == 1, describe(refused)
        assert "Permission denied" in refused.stderr, describe(refused)

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_without_the_annotation_nothing_happens(self, launcher):
        self.assert_lists_the_root(launcher.run(self.sandbox, LS))
        assert not self.profile.exists()

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    @pytest.mark.parametrize("paths, error", [
        ("of:{profile};if:/x;if:/y", "more than one semi-colon"),
        ("of:{profile};if:relative.json", "input file path must be absolute"),
        ("of:{profile};if:{folder}/absent.json", "error reading input file"),
        ("of:{profile};if:{folder}/broken.json", "error parsing input file"),
        ("of:relative.json", "output file path must be absolute"),
        ("{profile}", 'must start "if:" or "of:" prefix'),
        ("if:{folder}/broken.json", "providing output file is mandatory")])
    def test_errors_of_the_annotation_stop_the_container(self, launcher, paths, error):
        (self.sandbox.path / "broken.json").write_text("{")
        refused = self.run_recorded(launcher, LS, paths.format(profile=self.profile, folder=self.sandbox.path))
        assert refused.returncode != 0, describe(refused)
        assert refused.stdout == "", describe(refused)
        assert not self.profile.exists()
        # crun does not show what its hooks say.
        if launcher.runtime == "runc":
            assert "invalid annotation: " in refused.stderr, describe(refused)
            assert error in refused.stderr.replace('\\"', '"'), describe(refused)


class TestStrangers(HookTest):
    """Who cannot do himself what he asks for: an image, whose annotations podman takes for the user's, and pods."""

    def image(self, annotations):
        """An image of busybox, by its number."""
        folder = self.sandbox.path / self.sandbox.new_name("image")
        blobs = folder / "blobs/sha256"
        blobs.mkdir(parents=True)

        def blob(content):
            digest = hashlib.sha256(content).hexdigest()
            (blobs / digest).write_bytes(content)
            return {"digest": f"sha256:{digest}", "size": len(content)}

        archive = folder / "layer.tar"
        containers.run_or_fail(["tar", "-C", self.sandbox.rootfs, "-cf", archive, "."])
        kind = "application/vnd.oci.image"
        layer = blob(archive.read_bytes())
        config = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]},
                                  "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode())
        manifest = blob(json.dumps({
            "schemaVersion": 2, "mediaType": f"{kind}.manifest.v1+json", "annotations": annotations,
            "config": {"mediaType": f"{kind}.config.v1+json", **config},
            "layers": [{"mediaType": f"{kind}.layer.v1.tar", **layer}]}).encode())
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
            {"mediaType": f"{kind}.manifest.v1+json", **manifest}]}))
        policy = folder / "policy.json"
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        pulled = LAUNCHERS[0].podman(self.sandbox, ["pull", "--quiet", "--signature-policy", policy, f"oci:{folder}"])
        self.assert_succeeds(pulled)
        return pulled.stdout.split()[-1]

    def run_image(self, image, *options):
        return LAUNCHERS[0].podman(self.sandbox, [
            "run", "--rm", "--cgroup-parent", f"/{self.sandbox.cgroup}", "--cgroups", "no-conmon",
            "--security-opt", "seccomp=unconfined", *options, image, "busybox", *LS])

    def test_an_image_chooses_no_files_of_the_machine(self):
        image = self.image({"io.containers.trace-syscall": f"of:{self.profile}"})
        refused = self.run_image(image)
        assert refused.returncode != 0, describe(refused)
        assert "a container may name files below /var/lib/callcensus only" in refused.stderr, describe(refused)
        assert not self.profile.exists()
        # What the user says counts.
        own = self.profile.with_suffix(".own.json")
        self.assert_lists_the_root(self.run_image(image, *annotated(f"of:{own}")))
        assert own.exists()
        assert not self.profile.exists()

    def test_a_pod_chooses_none_either(self):
        refused = self.run_recorded(LAUNCHERS[0], LS, options=[
            "--annotation", "io.kubernetes.cri-o.ContainerType=container"])
        assert refused.returncode != 0, describe(refused)
        assert not self.profile.exists()


class TestLocked(HookTest):
    def test_whoever_locks_the_directory_holds_up_no_container(self):
        folder = self.sandbox.path / self.sandbox.new_name("everybodys")
        folder.mkdir()
        theirs = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(theirs, fcntl.LOCK_EX)
            profile = folder / "ls.json"
            begin = time.monotonic()
            self.assert_lists_the_root(self.run_recorded(LAUNCHERS[0], LS, f"of:{profile}"))
            assert time.monotonic() - begin < containers.COMMAND_TIMEOUT_S / 2
            assert profile.exists()
        finally:
            os.close(theirs)


class TestStages(HookTest):
    """In a bundle's own configuration, at both stages."""

    @pytest.mark.parametrize("launcher", each([*map(PlainLauncher, RUNTIMES)]))
    @pytest.mark.parametrize("stage", ["prestart", "createRuntime"])
    def test_both_stages(self, launcher, stage):
        hooks = {stage: [{"path": str(self.sandbox.program), "args": ["callcensus", "hook"]}]}
        annotations = {"io.containers.trace-syscall": f"of:{self.profile}"}
        completed = launcher.run(self.sandbox, LS, hooks=hooks, annotations=annotations)
        self.assert_lists_the_root(completed)
        self.assert_recorded("getdents64", "exit_group")
        self.assert_lists_the_root(launcher.run(self.sandbox, LS, self.profile))
        self.assert_refused(launcher.run(self.sandbox, MKDIR, self.profile))

    @pytest.mark.parametrize("launcher", each([*map(PlainLauncher, RUNTIMES)]))
    def test_a_hook_that_failed_leaves_no_profile(self, launcher):
        hooks = {"prestart": [{"path": str(self.sandbox.program), "args": ["callcensus", "hook"]}]}
        annotations = {"io.containers.trace-syscall": "of:/absent/profile.json"}
        completed = launcher.run(self.sandbox, LS, hooks=hooks, annotations=annotations)
        assert completed.returncode != 0, describe(completed)
        assert completed.stdout == "", describe(completed)


class TestStarts(HookTest):
    """Options of `podman run` that change where and as what the container's first process runs."""

    OPTIONS = (
        ("--tty",),
        ("--pid=host",),
        ("--uidmap=0:100000:2000", "--gidmap=0:100000:2000"),
        ("--privileged",),
        ("--cap-drop=all",),
        ("--init", f"--init-path={INIT}"),
    )

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    @pytest.mark.parametrize("options", OPTIONS)
    def test_options(self, launcher, options):
        if options[0] == "--init" and not os.access(INIT, os.X_OK):
            pytest.skip(f"{INIT} is not there (Debian: docker.io)")
        self.assert_lists_the_root(self.run_recorded(launcher, LS, options=options))
        self.assert_recorded("getdents64", "exit_group")

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    @pytest.mark.parametrize("no_new_privileges", [True, False])
    def test_under_a_filter_of_its_own(self, launcher, no_new_privileges):
        """The filter allows everything by default."""
        permissive = self.sandbox.path / "permissive.json"
        permissive.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "architectures": [
            "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [
                {"names": ["swapoff"], "action": "SCMP_ACT_ERRNO"}]}))

        self.assert_lists_the_root(self.run_recorded(
            launcher, LS, profile=permissive, no_new_privileges=no_new_privileges))
        self.assert_recorded("getdents64", "exit_group")
        self.assert_lists_the_root(launcher.run(self.sandbox, LS, self.profile))
        self.assert_refused(launcher.run(self.sandbox, MKDIR, self.profile))

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_a_filter_that_denies_can_be_suspended(self, launcher):
        """It is the profile of ls, and mkdir is run under it."""
        self.assert_succeeds(self.run_recorded(launcher, LS))
        narrow = self.profile
        self.assert_refused(launcher.run(self.sandbox, MKDIR, narrow))
        self.set_up()
        self.assert_succeeds(launcher.run(self.sandbox, MKDIR, narrow, options=annotated(
            f"of:{self.profile}", "engine:suspend")))
        self.assert_succeeds(launcher.run(self.sandbox, MKDIR, self.profile))

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_detached(self, launcher):
        with launcher.running(self.sandbox, LS, options=annotated(f"of:{self.profile}")) as name:
            self.assert_succeeds(launcher.podman(self.sandbox, ["wait", name]))
            self.assert_recorded("getdents64", "exit_group")

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_restarted(self, launcher):
        """What each start calls is in the profile: the first one is ended while it waits."""
        twice = ["sh", "-c", "if mkdir /share/first; then echo > /share/ready; sleep " + ENDS_SOME_DAY +
                 "; else rmdir /share/first; echo > /share/ready; fi"]

        with self.running(launcher, twice) as (name, ready):
            self.assert_succeeds(launcher.podman(self.sandbox, ["restart", "--time", "0", name]))
            assert ready.read_text() == "\n"
            self.assert_succeeds(launcher.podman(self.sandbox, ["wait", name]))
            allowed = self.names_of(self.profile)
            # The shell forks only for what it waits for, and ends by itself only the second time.
            assert {"mkdir", "mkdirat"} & allowed, allowed
            assert {"rmdir", "exit_group"} <= allowed
            assert {"nanosleep", "clock_nanosleep"} & allowed, allowed

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_several_at_once_into_one_file(self, launcher):
        folder = self.new_fifo()
        commands = [LS, MKDIR, ["rmdir", "/srv-test"], ["sync"]]
        (self.sandbox.rootfs / "srv-test").mkdir(exist_ok=True)
        options = annotated(f"of:{self.profile}")
        started = []
        for command in commands:
            name = self.sandbox.new_name("container")
            arguments = ["run", "--rm", "--name", name, *options, f"--volume={folder}:/share",
                         *launcher.arguments(self.sandbox), *command]
            started.append(subprocess.Popen(
                [str(word) for word in launcher.podman_command(self.sandbox, arguments)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        for process in started:
            _, errors = process.communicate(timeout=containers.COMMAND_TIMEOUT_S)
            assert process.returncode == 0, errors
        assert {"getdents64", "rmdir", "sync"} <= self.names_of(self.profile)
        assert {"mkdir", "mkdirat"} & self.names_of(self.profile)
        assert list(self.sandbox.path.glob(f"{self.profile.name}?*")) == []


class TestEnds(HookTest):
    """However a container ends, its profile holds what it has called."""

    WAITS = ["sh", "-c", "mkdir /tmp/made; trap 'rmdir /tmp/made; exit 0' TERM; echo > /share/ready;"
             f" sleep {ENDS_SOME_DAY} & wait"]

    def assert_made_a_directory(self):
        observed = self.observed_by(self.profile)
        assert {"mkdir", "mkdirat"} & observed, observed
        assert {"clone", "fork", "vfork"} & observed, observed

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_killed(self, launcher):
        with self.running(launcher, self.WAITS) as (name, _):
            self.assert_succeeds(launcher.podman(self.sandbox, ["kill", name]))
            ended = launcher.podman(self.sandbox, ["wait", name])
            assert ended.stdout == f"{STATUS_OF_SIGKILL}\n", describe(ended)
            self.assert_made_a_directory()
            assert "rmdir" not in self.observed_by(self.profile)

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_stopped(self, launcher):
        with self.running(launcher, self.WAITS) as (name, _):
            self.assert_succeeds(launcher.podman(self.sandbox, ["stop", "--time", ENDS_SOME_DAY, name]))
            self.assert_made_a_directory()
            assert "rmdir" in self.observed_by(self.profile)

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_removed_by_force(self, launcher):
        with self.running(launcher, self.WAITS) as (name, _):
            self.assert_succeeds(launcher.podman(self.sandbox, ["rm", "--force", "--time", "0", name]))
            self.assert_made_a_directory()

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_out_of_memory(self, launcher):
        hungry = ["sh", "-c", "mkdir /tmp/made; exec dd if=/dev/zero of=/dev/null bs=200M count=1"]
        limits = ["--memory=32m", "--memory-swap=32m"]
        unlimited = launcher.run(self.sandbox, hungry)
        assert unlimited.returncode == 0, describe(unlimited)
        ended = self.run_recorded(launcher, hungry, options=limits)
        if "memory" in ended.stderr and ended.returncode == 126:
            pytest.skip(f"no memory limits here: {ended.stderr.strip()}")
        assert ended.returncode == STATUS_OF_SIGKILL, describe(ended)
        observed = self.observed_by(self.profile)
        assert {"mkdir", "mkdirat"} & observed, observed

    @pytest.mark.parametrize("launcher", each(LAUNCHERS))
    def test_a_signal_of_its_own(self, launcher):
        ended = self.run_recorded(launcher, ["sh", "-c", "mkdir /tmp/made; kill -9 -1; exit 3"])
        assert ended.returncode == 3, describe(ended)
        assert {"mkdir", "mkdirat"} & self.observed_by(self.profile)
        self.assert_recorded("kill", "exit_group")


class TestRootless(HookTest):
    """podman as a user without any privilege, in a user namespace of its own."""

    def test_rootless_podman(self):
        user = containers.UnprivilegedUser(self.sandbox)
        self.cleanups.callback(user.close)
        profile = user.home / "profile.json"
        recorded = user.run("crun", [*annotated(f"of:{profile}"), "--security-opt=seccomp=unconfined"], LS)
        if "newuidmap" in recorded.stderr or "user namespace" in recorded.stderr:
            pytest.skip(f"rootless podman does not run here: {recorded.stderr.strip()}")
        self.assert_lists_the_root(recorded)
        self.profile = profile
        self.assert_recorded("getdents64", "exit_group")
        assert profile.stat().st_uid == user.number
        confined = [f"--security-opt=seccomp={profile}"]
        self.assert_lists_the_root(user.run("crun", confined, LS))
        self.assert_refused(user.run("crun", confined, MKDIR))
