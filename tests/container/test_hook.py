#!/usr/bin/python3
"""`callcensus hook` as podman, runc and crun start it: what oci-seccomp-bpf-hook is tested for, the ways in
which containers are started, and the ways in which they end. A profile has to be there the moment podman
returns: nothing here waits for it.

    CALLCENSUS=build/default/callcensus python3 tests/container/test_hook.py -v
"""

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import time
import unittest

import containers
import harness
from containers import PlainLauncher, PodmanLauncher, RUNTIMES, describe

LAUNCHERS = [*map(PodmanLauncher, RUNTIMES)]
LS = ["ls", "/"]
MKDIR = ["mkdir", "/tmp/made"]
ENDS_SOME_DAY = str(2 * containers.COMMAND_TIMEOUT_S)
INIT = "/usr/bin/docker-init"
STATUS_OF_SIGKILL = 137

sandbox = None


def setUpModule():
    global sandbox
    sandbox = harness.sandbox_of_module()
    sandbox.install_hook()


def annotated(paths, options=None):
    annotations = ["--annotation", f"io.containers.trace-syscall={paths}"]
    return annotations + (["--annotation", f"io.callcensus.options={options}"] if options else [])


class HookTest(harness.ContainerTest):
    def setUp(self):
        self.profile = sandbox.path / f"{sandbox.new_name('profile')}.json"

    def run_recorded(self, launcher, command, paths=None, options=(), **container):
        return launcher.run(sandbox, command, options=[*annotated(paths or f"of:{self.profile}"), *options],
                            **container)

    def assert_recorded(self, *names):
        """That the profile is there and has the names, exit_group, which is the last call, among them."""
        self.assertLessEqual({"execve", *names}, self.observed_by(self.profile))

    def assert_refused(self, completed):
        self.assertEqual(completed.returncode, 1, describe(completed))
        self.assertIn("Function not implemented", completed.stderr, describe(completed))

    def new_fifo(self):
        """A directory for a volume, and a named pipe in it by which a container says that it runs."""
        folder = sandbox.path / sandbox.new_name("share")
        folder.mkdir()
        os.mkfifo(folder / "ready")
        return folder

    @contextlib.contextmanager
    def running(self, launcher, command):
        """A container that has told that it runs, and the pipe by which it did."""
        self.setUp()
        folder = self.new_fifo()
        options = [*annotated(f"of:{self.profile}"), f"--volume={folder}:/share"]
        with launcher.running(sandbox, command, options=options) as name:
            self.assertEqual((folder / "ready").read_text(), "\n")
            yield name, folder / "ready"


class Scenarios(HookTest):
    """Those of oci-seccomp-bpf-hook's own tests."""

    def test_trace_and_use(self):
        def check(launcher):
            self.setUp()
            self.assert_lists_the_root(self.run_recorded(launcher, LS))
            self.assert_recorded("getdents64", "exit_group")
            for no_new_privileges in (False, True):
                self.assert_lists_the_root(
                    launcher.run(sandbox, LS, self.profile, no_new_privileges=no_new_privileges))

        self.for_each(LAUNCHERS, check)

    def test_what_was_not_traced_fails(self):
        def check(launcher):
            self.setUp()
            self.assert_succeeds(self.run_recorded(launcher, LS))
            self.assert_refused(launcher.run(sandbox, MKDIR, self.profile))

        self.for_each(LAUNCHERS, check)

    def test_a_baseline_is_extended(self):
        def check(launcher):
            self.setUp()
            baseline = self.profile.with_suffix(".base.json")
            self.assert_succeeds(self.run_recorded(launcher, LS, f"of:{baseline}"))
            for paths in (f"of:{self.profile};if:{baseline}", f"if:{baseline};of:{self.profile}"):
                self.profile.unlink(missing_ok=True)
                self.assert_succeeds(self.run_recorded(launcher, MKDIR, paths))
                self.assert_lists_the_root(launcher.run(sandbox, LS, self.profile))
                self.assert_succeeds(launcher.run(sandbox, MKDIR, self.profile))

        self.for_each(LAUNCHERS, check)

    def test_what_the_baseline_blocks_stays_blocked(self):
        def check(launcher):
            self.setUp()
            baseline = self.profile.with_suffix(".base.json")
            rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}
            baseline.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule]}))
            self.assert_succeeds(
                self.run_recorded(launcher, MKDIR, f"of:{self.profile};if:{baseline}"))
            refused = launcher.run(sandbox, MKDIR, self.profile)
            self.assertEqual(refused.returncode, 1, describe(refused))
            self.assertIn("Permission denied", refused.stderr, describe(refused))

        self.for_each(LAUNCHERS, check)

    def test_without_the_annotation_nothing_happens(self):
        def check(launcher):
            self.assert_lists_the_root(launcher.run(sandbox, LS))
            self.assertFalse(self.profile.exists())

        self.for_each(LAUNCHERS, check)

    def test_errors_of_the_annotation_stop_the_container(self):
        broken = sandbox.path / "broken.json"
        broken.write_text("{")
        output = f"of:{self.profile}"
        errors = {
            f"{output};if:/x;if:/y": "more than one semi-colon",
            f"{output};if:relative.json": "input file path must be absolute",
            f"{output};if:{sandbox.path}/absent.json": "error reading input file",
            f"{output};if:{broken}": "error parsing input file",
            "of:relative.json": "output file path must be absolute",
            str(self.profile): 'must start "if:" or "of:" prefix',
            f"if:{broken}": "providing output file is mandatory",
        }

        def check(launcher, paths):
            refused = self.run_recorded(launcher, LS, paths)
            self.assertNotEqual(refused.returncode, 0, describe(refused))
            self.assertEqual(refused.stdout, "", describe(refused))
            self.assertFalse(self.profile.exists())
            # crun does not show what its hooks say.
            if launcher.runtime == "runc":
                self.assertIn("invalid annotation: ", refused.stderr, describe(refused))
                self.assertIn(errors[paths], refused.stderr.replace('\\"', '"'), describe(refused))

        self.for_each(LAUNCHERS, check, paths=errors)


class Strangers(HookTest):
    """Who cannot do himself what he asks for: an image, whose annotations podman takes for the user's, and pods."""

    def image(self, annotations):
        """An image of busybox, by its number."""
        folder = sandbox.path / sandbox.new_name("image")
        blobs = folder / "blobs/sha256"
        blobs.mkdir(parents=True)

        def blob(content):
            digest = hashlib.sha256(content).hexdigest()
            (blobs / digest).write_bytes(content)
            return {"digest": f"sha256:{digest}", "size": len(content)}

        archive = folder / "layer.tar"
        containers.run_or_fail(["tar", "-C", sandbox.rootfs, "-cf", archive, "."])
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
        pulled = LAUNCHERS[0].podman(sandbox, ["pull", "--quiet", "--signature-policy", policy, f"oci:{folder}"])
        self.assert_succeeds(pulled)
        return pulled.stdout.split()[-1]

    def run_image(self, image, *options):
        return LAUNCHERS[0].podman(sandbox, [
            "run", "--rm", "--cgroup-parent", f"/{sandbox.cgroup}", "--cgroups", "no-conmon",
            "--security-opt", "seccomp=unconfined", *options, image, "busybox", *LS])

    def test_an_image_chooses_no_files_of_the_machine(self):
        image = self.image({"io.containers.trace-syscall": f"of:{self.profile}"})
        refused = self.run_image(image)
        self.assertNotEqual(refused.returncode, 0, describe(refused))
        self.assertIn("a container may name files below /var/lib/callcensus only", refused.stderr,
                      describe(refused))
        self.assertFalse(self.profile.exists())
        # What the user says counts.
        own = self.profile.with_suffix(".own.json")
        self.assert_lists_the_root(self.run_image(image, *annotated(f"of:{own}")))
        self.assertTrue(own.exists())
        self.assertFalse(self.profile.exists())

    def test_a_pod_chooses_none_either(self):
        refused = self.run_recorded(LAUNCHERS[0], LS, options=[
            "--annotation", "io.kubernetes.cri-o.ContainerType=container"])
        self.assertNotEqual(refused.returncode, 0, describe(refused))
        self.assertFalse(self.profile.exists())


class Locked(HookTest):
    def test_whoever_locks_the_directory_holds_up_no_container(self):
        folder = sandbox.path / sandbox.new_name("everybodys")
        folder.mkdir()
        theirs = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(theirs, fcntl.LOCK_EX)
            profile = folder / "ls.json"
            begin = time.monotonic()
            self.assert_lists_the_root(self.run_recorded(LAUNCHERS[0], LS, f"of:{profile}"))
            self.assertLess(time.monotonic() - begin, containers.COMMAND_TIMEOUT_S / 2)
            self.assertTrue(profile.exists())
        finally:
            os.close(theirs)


class Stages(HookTest):
    """In a bundle's own configuration, at both stages."""

    def test_both_stages(self):
        def check(launcher, stage):
            self.setUp()
            hooks = {stage: [{"path": str(sandbox.program), "args": ["callcensus", "hook"]}]}
            annotations = {"io.containers.trace-syscall": f"of:{self.profile}"}
            completed = launcher.run(sandbox, LS, hooks=hooks, annotations=annotations)
            self.assert_lists_the_root(completed)
            self.assert_recorded("getdents64", "exit_group")
            self.assert_lists_the_root(launcher.run(sandbox, LS, self.profile))
            self.assert_refused(launcher.run(sandbox, MKDIR, self.profile))

        self.for_each([*map(PlainLauncher, RUNTIMES)], check, stage=("prestart", "createRuntime"))

    def test_a_hook_that_failed_leaves_no_profile(self):
        def check(launcher):
            hooks = {"prestart": [{"path": str(sandbox.program), "args": ["callcensus", "hook"]}]}
            annotations = {"io.containers.trace-syscall": "of:/absent/profile.json"}
            completed = launcher.run(sandbox, LS, hooks=hooks, annotations=annotations)
            self.assertNotEqual(completed.returncode, 0, describe(completed))
            self.assertEqual(completed.stdout, "", describe(completed))

        self.for_each([*map(PlainLauncher, RUNTIMES)], check)


class Starts(HookTest):
    """Options of `podman run` that change where and as what the container's first process runs."""

    OPTIONS = (
        ("--tty",),
        ("--pid=host",),
        ("--uidmap=0:100000:2000", "--gidmap=0:100000:2000"),
        ("--privileged",),
        ("--cap-drop=all",),
        ("--init", f"--init-path={INIT}"),
    )

    def test_options(self):
        def check(launcher, options):
            self.setUp()
            if options[0] == "--init" and not os.access(INIT, os.X_OK):
                self.skipTest(f"{INIT} is not there (Debian: docker.io)")
            self.assert_lists_the_root(self.run_recorded(launcher, LS, options=options))
            self.assert_recorded("getdents64", "exit_group")

        self.for_each(LAUNCHERS, check, options=self.OPTIONS)

    def test_under_a_filter_of_its_own(self):
        """The filter allows everything by default."""
        permissive = sandbox.path / "permissive.json"
        permissive.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "architectures": [
            "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [
                {"names": ["swapoff"], "action": "SCMP_ACT_ERRNO"}]}))

        def check(launcher, no_new_privileges):
            self.setUp()
            self.assert_lists_the_root(self.run_recorded(
                launcher, LS, profile=permissive, no_new_privileges=no_new_privileges))
            self.assert_recorded("getdents64", "exit_group")
            self.assert_lists_the_root(launcher.run(sandbox, LS, self.profile))
            self.assert_refused(launcher.run(sandbox, MKDIR, self.profile))

        self.for_each(LAUNCHERS, check, no_new_privileges=(True, False))

    def test_a_filter_that_denies_can_be_suspended(self):
        """It is the profile of ls, and mkdir is run under it."""
        def check(launcher):
            self.setUp()
            self.assert_succeeds(self.run_recorded(launcher, LS))
            narrow = self.profile
            self.assert_refused(launcher.run(sandbox, MKDIR, narrow))
            self.setUp()
            self.assert_succeeds(launcher.run(sandbox, MKDIR, narrow, options=annotated(
                f"of:{self.profile}", "engine:suspend")))
            self.assert_succeeds(launcher.run(sandbox, MKDIR, self.profile))

        self.for_each(LAUNCHERS, check)

    def test_detached(self):
        def check(launcher):
            self.setUp()
            with launcher.running(sandbox, LS, options=annotated(f"of:{self.profile}")) as name:
                self.assert_succeeds(launcher.podman(sandbox, ["wait", name]))
                self.assert_recorded("getdents64", "exit_group")

        self.for_each(LAUNCHERS, check)

    def test_restarted(self):
        """What each start calls is in the profile: the first one is ended while it waits."""
        twice = ["sh", "-c", "if mkdir /share/first; then echo > /share/ready; sleep " + ENDS_SOME_DAY +
                 "; else rmdir /share/first; echo > /share/ready; fi"]

        def check(launcher):
            with self.running(launcher, twice) as (name, ready):
                self.assert_succeeds(launcher.podman(sandbox, ["restart", "--time", "0", name]))
                self.assertEqual(ready.read_text(), "\n")
                self.assert_succeeds(launcher.podman(sandbox, ["wait", name]))
                allowed = self.names_of(self.profile)
                # The shell forks only for what it waits for, and ends by itself only the second time.
                self.assertTrue({"mkdir", "mkdirat"} & allowed, allowed)
                self.assertLessEqual({"rmdir", "exit_group"}, allowed)
                self.assertTrue({"nanosleep", "clock_nanosleep"} & allowed, allowed)

        self.for_each(LAUNCHERS, check)

    def test_several_at_once_into_one_file(self):
        def check(launcher):
            self.setUp()
            folder = self.new_fifo()
            commands = [LS, MKDIR, ["rmdir", "/srv-test"], ["sync"]]
            (sandbox.rootfs / "srv-test").mkdir(exist_ok=True)
            options = annotated(f"of:{self.profile}")
            started = []
            for command in commands:
                name = sandbox.new_name("container")
                arguments = ["run", "--rm", "--name", name, *options, f"--volume={folder}:/share",
                             *launcher.arguments(sandbox), *command]
                started.append(subprocess.Popen(
                    [str(word) for word in launcher.podman_command(sandbox, arguments)],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
            for process in started:
                _, errors = process.communicate(timeout=containers.COMMAND_TIMEOUT_S)
                self.assertEqual(process.returncode, 0, errors)
            self.assertLessEqual({"getdents64", "rmdir", "sync"}, self.names_of(self.profile))
            self.assertTrue({"mkdir", "mkdirat"} & self.names_of(self.profile))
            self.assertEqual(list(sandbox.path.glob(f"{self.profile.name}?*")), [])

        self.for_each(LAUNCHERS, check)


class Ends(HookTest):
    """However a container ends, its profile holds what it has called."""

    WAITS = ["sh", "-c", "mkdir /tmp/made; trap 'rmdir /tmp/made; exit 0' TERM; echo > /share/ready;"
             f" sleep {ENDS_SOME_DAY} & wait"]

    def assert_made_a_directory(self):
        observed = self.observed_by(self.profile)
        self.assertTrue({"mkdir", "mkdirat"} & observed, observed)
        self.assertTrue({"clone", "fork", "vfork"} & observed, observed)

    def test_killed(self):
        def check(launcher):
            with self.running(launcher, self.WAITS) as (name, _):
                self.assert_succeeds(launcher.podman(sandbox, ["kill", name]))
                ended = launcher.podman(sandbox, ["wait", name])
                self.assertEqual(ended.stdout, f"{STATUS_OF_SIGKILL}\n", describe(ended))
                self.assert_made_a_directory()
                self.assertNotIn("rmdir", self.observed_by(self.profile))

        self.for_each(LAUNCHERS, check)

    def test_stopped(self):
        def check(launcher):
            with self.running(launcher, self.WAITS) as (name, _):
                self.assert_succeeds(launcher.podman(sandbox, ["stop", "--time", ENDS_SOME_DAY, name]))
                self.assert_made_a_directory()
                self.assertIn("rmdir", self.observed_by(self.profile))

        self.for_each(LAUNCHERS, check)

    def test_removed_by_force(self):
        def check(launcher):
            with self.running(launcher, self.WAITS) as (name, _):
                self.assert_succeeds(launcher.podman(sandbox, ["rm", "--force", "--time", "0", name]))
                self.assert_made_a_directory()

        self.for_each(LAUNCHERS, check)

    def test_out_of_memory(self):
        def check(launcher):
            self.setUp()
            hungry = ["sh", "-c", "mkdir /tmp/made; exec dd if=/dev/zero of=/dev/null bs=200M count=1"]
            limits = ["--memory=32m", "--memory-swap=32m"]
            unlimited = launcher.run(sandbox, hungry)
            self.assertEqual(unlimited.returncode, 0, describe(unlimited))
            ended = self.run_recorded(launcher, hungry, options=limits)
            if "memory" in ended.stderr and ended.returncode == 126:
                self.skipTest(f"no memory limits here: {ended.stderr.strip()}")
            self.assertEqual(ended.returncode, STATUS_OF_SIGKILL, describe(ended))
            observed = self.observed_by(self.profile)
            self.assertTrue({"mkdir", "mkdirat"} & observed, observed)

        self.for_each(LAUNCHERS, check)

    def test_a_signal_of_its_own(self):
        def check(launcher):
            self.setUp()
            ended = self.run_recorded(launcher, ["sh", "-c", "mkdir /tmp/made; kill -9 -1; exit 3"])
            self.assertEqual(ended.returncode, 3, describe(ended))
            self.assertTrue({"mkdir", "mkdirat"} & self.observed_by(self.profile))
            self.assert_recorded("kill", "exit_group")

        self.for_each(LAUNCHERS, check)


class Rootless(HookTest):
    """podman as a user without any privilege, in a user namespace of its own."""

    def test_rootless_podman(self):
        user = containers.UnprivilegedUser(sandbox)
        self.addCleanup(user.close)
        profile = user.home / "profile.json"
        recorded = user.run("crun", [*annotated(f"of:{profile}"), "--security-opt=seccomp=unconfined"], LS)
        if "newuidmap" in recorded.stderr or "user namespace" in recorded.stderr:
            self.skipTest(f"rootless podman does not run here: {recorded.stderr.strip()}")
        self.assert_lists_the_root(recorded)
        self.profile = profile
        self.assert_recorded("getdents64", "exit_group")
        self.assertEqual(profile.stat().st_uid, user.number)
        confined = [f"--security-opt=seccomp={profile}"]
        self.assert_lists_the_root(user.run("crun", confined, LS))
        self.assert_refused(user.run("crun", confined, MKDIR))


if __name__ == "__main__":
    unittest.main()
