"""What the container tests run in: callcensus on the host, busybox in containers of podman, runc and crun.

    sandbox = Sandbox(program="/path/to/callcensus")
    try:
        profile = sandbox.trace(["ls", "/"], user=0)
        ran = PlainLauncher("runc").run(sandbox, ["ls", "/"], profile=profile)
    finally:
        sandbox.close()

Everything is kept in one directory that goes away with the sandbox, podman's storage, locks and state
included: the containers and images of the machine are neither seen nor touched. Needs root.
"""

import contextlib
import ctypes
import dataclasses
import functools
import itertools
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile

BUSYBOX = "/bin/busybox"
RUNTIMES = ("runc", "crun")
# Of the machine's directories these are empty in containers that see the machine's programs.
NOT_SHARED = ("home", "root", "run", "tmp")
# What docker gets of these, as volumes: an image of the machine would take minutes.
SHARED_WITH_DOCKER = ("bin", "etc", "lib", "lib64", "sbin", "srv", "usr", "var/lib/nginx")

# Far above what any of these commands takes; only a container that hangs gets there.
COMMAND_TIMEOUT_S = 60

CLONE_NEWNS = 0x00020000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
PR_SET_CHILD_SUBREAPER = 36

CGROUPS = pathlib.Path("/sys/fs/cgroup")
UNIFIED_CGROUP_OF_A_HYBRID = CGROUPS / "unified"

# As docker and podman grant them; a container of root needs some to become another user.
CONTAINER_CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT")

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _mount(source, target, filesystem, flags, data=None):
    _check(_libc.mount(source.encode(), str(target).encode(), filesystem and filesystem.encode(),
                       ctypes.c_ulong(flags), data and data.encode()))


def enter_private_mount_namespace():
    """Moves this process, and so all its later children, to a mount namespace of its own.

    PermissionError if it may not."""
    _check(_libc.unshare(CLONE_NEWNS))
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    # crun refuses to run where version 2 of the cgroups is mounted beside version 1 and has controllers. In a
    # bare directory it makes plain files instead; these go away with a tmpfs of the namespace.
    if os.path.ismount(UNIFIED_CGROUP_OF_A_HYBRID):
        _mount("tmpfs", UNIFIED_CGROUP_OF_A_HYBRID, "tmpfs", 0)


class CommandFailed(AssertionError):
    """A command that prepares a test failed."""


class CommandHung(CommandFailed):
    """A command took longer than COMMAND_TIMEOUT_S; it has been killed."""


def run(command, timeout=None, **options):
    """Runs `command` to its end, with its output kept. Who it leaves running may go on writing."""
    arguments = [str(argument) for argument in command]
    # No pipes: these would be at their end only when everybody has closed them.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            status = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                                    timeout=timeout or COMMAND_TIMEOUT_S, **options).returncode
        except subprocess.TimeoutExpired:
            status = "none, it hung"
        printed = []
        for file in (output, errors):
            file.seek(0)
            printed.append(file.read().decode(errors="replace"))
    completed = subprocess.CompletedProcess(arguments, status, *printed)
    if not isinstance(status, int):
        raise CommandHung(describe(completed))
    return completed


def exit_status_of_child(pid, timeout=COMMAND_TIMEOUT_S):
    """Waits for a child, as of which a subreaper has all orphans, to end: as a shell's $?."""
    pidfd = os.pidfd_open(pid)
    try:
        if not select.select([pidfd], [], [], timeout)[0]:
            raise CommandHung(f"process {pid} did not end within {timeout} seconds")
    finally:
        os.close(pidfd)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status if status >= 0 else 128 - status


def read_json(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def describe(completed):
    """What a failed assertion shows of a command."""
    return (f"\n$ {' '.join(completed.args)}\nexit status: {completed.returncode}"
            f"\nstdout: {completed.stdout.strip()}\nstderr: {completed.stderr.strip()}")


def run_or_fail(command, **options):
    completed = run(command, **options)
    if completed.returncode != 0:
        raise CommandFailed(describe(completed))
    return completed


def missing_on_this_machine(program):
    """Why no container test can run here, or None."""
    if not program:
        return "the environment variable CALLCENSUS does not name the program to test"
    if not os.access(program, os.X_OK):
        return f"{program} is not an executable program"
    if os.geteuid() != 0:
        return "containers are started as root"
    if not os.access(BUSYBOX, os.X_OK):
        return f"{BUSYBOX} is missing (Debian: busybox-static)"
    if not any(shutil.which(runtime) for runtime in RUNTIMES):
        return "neither runc nor crun is installed"
    return None


@dataclasses.dataclass(frozen=True)
class RootFilesystem:
    """What containers see as /, and what precedes each command in it."""

    path: pathlib.Path
    prefix: tuple = ()


class Sandbox:
    """A directory with a root file system of busybox alone, a copy of callcensus and the state of podman and
    of the runtimes.

    Making it moves the process to a mount namespace of its own: the directory is a tmpfs there, so that
    nothing is left on disk, whatever happens."""

    def __init__(self, program):
        # So that close() can wait for the processes that podman leaves in the background.
        _check(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
        enter_private_mount_namespace()
        # Not $TMPDIR: podman takes 50 characters for its run root, a socket 107 for its path, and no more.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="callcensus-containers-", dir="/tmp"))
        _mount("tmpfs", self.path, "tmpfs", 0, "mode=755")
        self._numbers = itertools.count(1)
        self.cgroup = f"callcensus-test-{os.getpid()}"

        self.rootfs = self.path / "rootfs"
        for directory in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            (self.rootfs / directory).mkdir(parents=True)
        # podman gives a tmpfs the mode of the directory below it.
        (self.rootfs / "tmp").chmod(0o1777)
        shutil.copy(BUSYBOX, self.rootfs / "bin/busybox")
        self.busybox = RootFilesystem(self.rootfs, ("busybox",))

        # Where another user, too, can execute it.
        self.program = self.path / "callcensus"
        shutil.copy(program, self.program)

        # Where podman's runtimes keep what they know of containers: podman 4.3 can tell them another place, but
        # forgets to when it cleans up, and then refuses to start a container again.
        for runtime in RUNTIMES:
            state = pathlib.Path("/run", runtime)
            state.mkdir(mode=0o700, exist_ok=True)
            _mount("tmpfs", state, "tmpfs", 0)

        self.podman_configuration = self.path / "containers.conf"
        self.podman_configuration.write_text(
            "[containers]\n"
            # The defaults of podman are above the hard limits of small machines.
            'default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'
            'netns = "none"\n'
            "[engine]\n"
            'cgroup_manager = "cgroupfs"\n'
            'events_logger = "none"\n'
            'lock_type = "file"\n'
            f'hooks_dir = ["{self.path}/hooks"]\n')
        os.environ["CONTAINERS_CONF"] = str(self.podman_configuration)
        (self.path / "hooks").mkdir()

    def install_hook(self):
        self.callcensus(["hook", "--install", "--dir", self.path / "hooks"])

    @functools.cached_property
    def machine(self):
        """A root file system with the programs of this machine: an overlay, so that containers may write.

        Tests put what they need below its /srv. PermissionError if the machine permits no overlay."""
        layers = {name: self.path / f"machine-{name}" for name in ("upper", "work", "merged")}
        for layer in layers.values():
            layer.mkdir()
        for name in NOT_SHARED:
            (layers["upper"] / name).mkdir()
            os.setxattr(layers["upper"] / name, "trusted.overlay.opaque", b"y")
        (layers["upper"] / "tmp").chmod(0o1777)
        _mount("overlay", layers["merged"], "overlay", 0,
               f"lowerdir=/,upperdir={layers['upper']},workdir={layers['work']}")
        return RootFilesystem(layers["merged"])

    def close(self):
        # When a container ends, its monitor starts one more podman to clean up, which nobody waits for: it
        # would write to the directory below the tmpfs.
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
        # podman leaves the cgroup of a container behind where the hierarchy is of version 1.
        for tree in (*CGROUPS.glob(self.cgroup), *CGROUPS.glob(f"*/{self.cgroup}")):
            if not tree.is_relative_to(UNIFIED_CGROUP_OF_A_HYBRID):
                for directory, _, _ in os.walk(tree, topdown=False):
                    os.rmdir(directory)
        _check(_libc.umount2(str(self.path).encode(), MNT_DETACH))
        self.path.rmdir()

    def why_busybox_does_not_run_alone(self):
        """None when busybox needs no shared library; else what chroot said."""
        completed = run(["chroot", self.rootfs, "/bin/busybox", "true"])
        return None if completed.returncode == 0 else describe(completed)

    def new_name(self, kind):
        """A name for a file or a container, used once; the process id keeps two test runs apart."""
        return f"callcensus-test-{os.getpid()}-{kind}{next(self._numbers)}"

    def output_directory(self, user):
        directory = self.path / f"output-of-{user}"
        if not directory.exists():
            directory.mkdir()
            os.chown(directory, user, user)
        return directory

    def callcensus(self, arguments, user=0):
        directory = self.output_directory(user)
        identity = {} if user == 0 else {"user": user, "group": user, "extra_groups": []}
        return run_or_fail([self.program, *arguments], cwd=directory,
                           env={**os.environ, "TMPDIR": str(directory)}, **identity)

    def trace(self, busybox_command, user, options=(), recording=None):
        """The profile of `busybox COMMAND`, run on this host by `user`.

        As another user than root busybox makes other calls (it gives up what set-user-ID might have granted),
        so a profile holds for the user it was traced as."""
        profile = self.output_directory(user) / f"{self.new_name('profile')}.json"
        keep = ["--recording", recording] if recording else []
        self.callcensus(["trace", "-q", "-o", profile, *keep, *options, "--", self.rootfs / "bin/busybox",
                         *busybox_command], user)
        return profile

    def record(self, busybox_command, user):
        recording = self.output_directory(user) / f"{self.new_name('recording')}.json"
        self.trace(busybox_command, user, recording=recording)
        return recording

    def derive(self, recordings, options=()):
        profile = self.output_directory(0) / f"{self.new_name('profile')}.json"
        self.callcensus(["derive", *recordings, "-o", profile, *options])
        return profile


class PlainLauncher:
    """The runtime by itself: the profile is the seccomp section of the bundle's config.json as it stands."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.name = runtime

    def missing(self):
        return None if shutil.which(self.runtime) else f"{self.runtime} is not installed"

    def run(self, sandbox, command, profile=None, no_new_privileges=False, user=0, root=None, timeout=None,
            **configuration):
        name, bundle = self.bundle(sandbox, command, profile, no_new_privileges, user, root, **configuration)
        try:
            return run([*self.runtime_command(sandbox), "run", "--bundle", bundle, name], timeout)
        except CommandHung:
            self.delete(sandbox, name)
            raise

    @contextlib.contextmanager
    def started(self, sandbox, command, profile=None, no_new_privileges=False, user=0, root=None,
                timeout=None):
        """A container that was first created and then started, as engines do it, by its name and its process.

        It is killed when the context ends, and CommandFailed if it did not start."""
        name, bundle = self.bundle(sandbox, command, profile, no_new_privileges, user, root)
        pid_file = bundle / "pid"
        try:
            run_or_fail([*self.runtime_command(sandbox), "create", "--bundle", bundle, "--pid-file", pid_file,
                         name], timeout=timeout)
            pid = int(pid_file.read_text())
            run_or_fail([*self.runtime_command(sandbox), "start", name], timeout=timeout)
            yield name, pid
        finally:
            self.delete(sandbox, name)

    def exec(self, sandbox, container, command, timeout=None):
        """As engines do it: with the container's own settings. (crun's exec of a bare command ignores some.)"""
        bundle = sandbox.path / container
        process = read_json(bundle / "config.json")["process"]
        process["args"] = list(map(str, command))
        (bundle / "process.json").write_text(json.dumps(process))
        return run([*self.runtime_command(sandbox), "exec", "--process", bundle / "process.json", container],
                   timeout)

    def delete(self, sandbox, container):
        run([*self.runtime_command(sandbox), "delete", "--force", container])

    def runtime_command(self, sandbox):
        return [self.runtime, "--root", sandbox.path / f"state-of-{self.runtime}"]

    @staticmethod
    def bundle(sandbox, command, profile=None, no_new_privileges=False, user=0, root=None, **others):
        """Makes a bundle: the container's name and the directory. `others` are members of its configuration."""
        root = root or sandbox.busybox
        name = sandbox.new_name("container")
        bundle = sandbox.path / name
        bundle.mkdir()
        capabilities = {"bounding": CONTAINER_CAPABILITIES}
        if user == 0:
            capabilities |= {"effective": CONTAINER_CAPABILITIES, "permitted": CONTAINER_CAPABILITIES}
        namespaces = ["pid", "ipc", "uts", "mount", "network"]
        configuration = {
            **others,
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": user, "gid": user},
                "args": [*root.prefix, *map(str, command)],
                "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                "cwd": "/",
                "capabilities": capabilities,
                "noNewPrivileges": no_new_privileges,
            },
            "root": {"path": str(root.path)},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
                {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
            ],
            "linux": {"namespaces": [{"type": namespace} for namespace in namespaces]},
        }
        if profile:
            configuration["linux"]["seccomp"] = read_json(profile)
        (bundle / "config.json").write_text(json.dumps(configuration))
        return name, bundle


class PodmanLauncher:
    """podman with the runtime; it adapts the profile to the machine and to the container's capabilities."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.name = f"podman --runtime {runtime}"

    def missing(self):
        if not shutil.which("podman"):
            return "podman is not installed"
        return None if shutil.which(self.runtime) else f"{self.runtime} is not installed"

    def run(self, sandbox, command, profile=None, no_new_privileges=False, user=0, root=None, options=()):
        name = sandbox.new_name("container")
        try:
            return self.podman(sandbox, ["run", "--rm", "--name", name, *options,
                                         *self.arguments(sandbox, profile, no_new_privileges, user, root),
                                         *command])
        except CommandHung:
            self.remove(sandbox, name)
            raise

    @contextlib.contextmanager
    def running(self, sandbox, command, profile=None, no_new_privileges=False, user=0, root=None, options=()):
        """A container in the background, by its name.

        `command` has to end by itself some day, in case this process gets no chance to remove it."""
        name = sandbox.new_name("container")
        try:
            started = self.podman(sandbox, ["run", "--detach", "--name", name, *options,
                                            *self.arguments(sandbox, profile, no_new_privileges, user, root),
                                            *command])
            if started.returncode != 0:
                raise CommandFailed(describe(started))
            yield name
        finally:
            self.remove(sandbox, name)

    def exec(self, sandbox, container, busybox_command):
        return self.podman(sandbox, ["exec", container, "busybox", *busybox_command])

    @staticmethod
    def arguments(sandbox, profile=None, no_new_privileges=False, user=0, root=None):
        """What stands between `podman run` and the command."""
        root = root or sandbox.busybox
        # The container's /tmp is a tmpfs, since the root file system is shared by all.
        return ["--cgroup-parent", f"/{sandbox.cgroup}", "--cgroups", "no-conmon",
                "--tmpfs", "/tmp", "--user", user,
                "--security-opt", f"seccomp={profile or 'unconfined'}",
                *(["--security-opt", "no-new-privileges"] if no_new_privileges else []),
                "--rootfs", root.path, *root.prefix]

    def remove(self, sandbox, name):
        self.podman(sandbox, ["rm", "--force", "--ignore", "--time", "0", name])

    def podman(self, sandbox, arguments):
        # Its monitor leaves a file called "oom" in the working directory when a container runs out of memory.
        return run(self.podman_command(sandbox, arguments), cwd=sandbox.path)

    def podman_command(self, sandbox, arguments):
        storage = sandbox.path / "podman"
        return ["podman", "--root", storage / "root", "--runroot", storage / "run",
                "--tmpdir", storage / "tmp", "--storage-driver", "vfs", "--runtime", self.runtime, *arguments]


class UnprivilegedUser:
    """A user who exists in the mount namespace of the sandbox only, for rootless podman."""

    def __init__(self, sandbox, number=4321):
        self.number = number
        # A short name: podman makes sockets below it.
        self.home = sandbox.path / "home"
        self._configuration = sandbox.podman_configuration
        shutil.copytree(sandbox.rootfs, self.home / "rootfs")
        (self.home / "run").mkdir(mode=0o700)
        run_or_fail(["chown", "-R", f"{number}:{number}", self.home])
        for name, line in {
                "passwd": f"census:x:{number}:{number}::{self.home}:/bin/sh",
                "group": f"census:x:{number}:",
                "subuid": "census:200000:65536",
                "subgid": "census:200000:65536"}.items():
            changed = self.home / name
            changed.write_text(f"{pathlib.Path('/etc', name).read_text()}{line}\n")
            _mount(str(changed), f"/etc/{name}", None, MS_BIND)

    def close(self):
        # Rootless podman leaves a process behind that keeps its user namespace.
        for file in (self.home / "run").rglob("pause.pid"):
            pid = int(file.read_text())
            os.kill(pid, signal.SIGKILL)
            exit_status_of_child(pid)

    def run(self, runtime, options, command):
        """`podman run`, in cgroups of nobody."""
        return self._podman(["--runtime", runtime, "run", "--rm", "--cgroups=disabled", "--tmpfs=/tmp", *options,
                             "--rootfs", self.home / "rootfs", "busybox", *command])

    def _podman(self, arguments):
        environment = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home / "run"),
                       "PATH": os.environ["PATH"], "CONTAINERS_CONF": str(self._configuration)}
        places = [f"--root={self.home}/storage", f"--runroot={self.home}/run/c", f"--tmpdir={self.home}/run/t"]
        return run(["podman", *places, "--storage-driver=vfs", *arguments], env=environment, cwd=self.home,
                   user=self.number, group=self.number, extra_groups=[])


class Docker:
    """A docker engine of our own, and a launcher of containers in it."""

    name = "docker"
    runtime = "runc"

    def __init__(self, sandbox, runtimes=()):
        """`runtimes`: [(name, path)] beside runc. CommandFailed if the engine does not start."""
        self._folder = sandbox.path / sandbox.new_name("docker")
        self._folder.mkdir()
        self._log = self._folder / "log"
        self._address = f"unix://{self._folder}/socket"
        notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notified.bind(str(self._folder / "notified"))
        notified.settimeout(COMMAND_TIMEOUT_S)
        with notified, open(self._log, "w", encoding="utf-8") as log:
            self._engine = subprocess.Popen(
                ["dockerd", "--storage-driver=vfs", "--iptables=false", "--ip6tables=false", "--bridge=none",
                 f"--cgroup-parent=/{sandbox.cgroup}", "--data-root", self._folder / "data", "--exec-root",
                 self._folder / "exec", "-p", self._folder / "pid", "-H", self._address,
                 *[f"--add-runtime={name}={path}" for name, path in runtimes]],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": str(self._folder / "notified"),
                     "CALLCENSUS_DIRECTORY": str(sandbox.path)})
            try:
                notified.recv(4096)
            except TimeoutError:
                self.close()
                raise CommandFailed(f"dockerd does not start: {self._log.read_text()}") from None
        tar = self._folder / "image.tar"
        run_or_fail(["tar", "-C", sandbox.rootfs, "-cf", tar, "."])
        run_or_fail(self.docker_command(["import", tar, "busybox"]))

    @staticmethod
    def missing():
        absent = [program for program in ("dockerd", "docker", "containerd") if not shutil.which(program)]
        return f"{' and '.join(absent)} not installed (Debian: docker.io)" if absent else None

    def close(self):
        self._engine.terminate()
        try:
            self._engine.wait(COMMAND_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._engine.kill()
            self._engine.wait()

    def docker_command(self, arguments):
        return ["docker", "-H", self._address, *arguments]

    def run(self, sandbox, command, profile=None, no_new_privileges=False, user=0, root=None, options=()):
        root = root or sandbox.busybox
        volumes = []
        if root.path != sandbox.rootfs:
            volumes = [f"--volume={root.path / name}:/{name}" for name in SHARED_WITH_DOCKER]
        name = sandbox.new_name("container")
        try:
            return run(self.docker_command(
                ["run", "--rm", "--name", name, "--network=none", f"--user={user}", "--tmpfs=/tmp:exec", *volumes,
                 f"--security-opt=seccomp={profile or 'unconfined'}",
                 *(["--security-opt=no-new-privileges"] if no_new_privileges else []), *options, "busybox",
                 *root.prefix, *command]))
        except CommandHung:
            run(self.docker_command(["rm", "--force", name]))
            raise
