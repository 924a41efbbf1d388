"""What the tests of the real program share.

    class TestSomething(harness.Case):
        def test_it(self):
            done = self.trace("-o", "p.json", "--", "true")     # in a directory of its own
            assert done.status == 0

    class TestSomethingAsNobody(harness.AsNobody, TestSomething):       # the same again, unprivileged
        pass

The program under test is named by the environment variable CALLCENSUS; without it, it is that of build/default.
What is built with it is looked for beside it. Nothing here sleeps and hopes: what has to happen is waited for,
with a deadline that only a failure reaches. What was run, and how it ended, is shown with a test that fails.

With CALLCENSUS_TEST_AS_ONE_USER in the environment the tests that nobody only repeats are left out: for a run
that looks for something in the code that does not depend on the user, such as one under sanitizers.
"""

import contextlib
import ctypes
import fcntl
import functools
import io
import json
import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

import pexpect
import pexpect.fdpexpect
import pyte
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.path.abspath(os.environ.get("CALLCENSUS") or REPOSITORY / "build/default/callcensus")
TRACEES = pathlib.Path(os.environ.get("CALLCENSUS_TRACEES") or
                       pathlib.Path(PROGRAM).parent / "tests/tracees").absolute()
RUN_UNDER_PROFILE = os.path.abspath(os.environ.get("CALLCENSUS_RUN_UNDER_PROFILE") or
                                    pathlib.Path(PROGRAM).parent / "tests/compare/run_under_profile")
ONE_USER = bool(os.environ.get("CALLCENSUS_TEST_AS_ONE_USER"))

# Far above what anything here takes, also under sanitizers on a busy machine.
DEADLINE_S = 30

# Statuses of the program's own, as env(1) has them.
FAILED, CANNOT_EXECUTE, NOT_FOUND = 125, 126, 127

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# For targets written in Python; one that every user may execute.
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable

_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def python(code, *arguments):
    """The command line of a target written in Python."""
    return [PYTHON, "-I", "-S", "-c", code, *arguments]


# Begins a target that reacts to signals. A handler may do anything; until(condition) returns once the
# condition holds, and a signal that comes between looking and sleeping is not missed. arrivals(signum) says
# how often a signal has arrived, also where Python ran its handler once for two of them; not for handlers.
REACTING = r"""
import os, select, signal, sys
wake_read, wake_write = os.pipe()
os.set_blocking(wake_read, False)
os.set_blocking(wake_write, False)
signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
def say(*words):
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())
arrived = []
def arrivals(signum):
    try:
        arrived.extend(os.read(wake_read, 4096))
    except BlockingIOError:
        pass
    return arrived.count(signum)
def until(condition):
    while not condition():
        select.select([wake_read], [], [])
        arrivals(0)
def for_ever():
    until(lambda: False)
"""

# Makes one call that nothing else in a Python program makes: a mark in the recording.
MARK = "os.sched_get_priority_max(os.SCHED_FIFO)"
MARK_NAME = "sched_get_priority_max"


def wait_for(condition, what, deadline_s=DEADLINE_S):
    """The first true result of `condition`, asked again and again.

    For what nobody announces, such as the end of a process that is not our child."""
    end = time.monotonic() + deadline_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline_s} s in vain: {what}")
        time.sleep(0.005)


# ---- /proc ------------------------------------------------------------------------------------------------


def stat_of(pid):
    """State letter, parent and start time of a process, or None where there is none."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[19])


def status_field(pid, field):
    """A line of /proc/PID/status, as text; None where there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    found = re.search(rf"^{field}:\s*(.*)$", text, re.MULTILINE)
    return found[1] if found else None


def is_gone(pid):
    """Whether a process has ended. A zombie has ended as far as its tracer is concerned only when it can be
    reaped by its parent, which adopt_orphans() makes us for every orphan."""
    stat = stat_of(pid)
    if stat is None:
        return True
    if stat[0] == "Z" and stat[1] == os.getpid():
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            return True
    return False


def wait_until_gone(pids):
    for pid in pids:
        wait_for(lambda pid=pid: is_gone(pid), f"process {pid} to be gone, is {stat_of(pid)}")


def children_of(pid):
    return [int(entry) for entry in os.listdir("/proc")
            if entry.isdigit() and (stat_of(entry) or ("", 0, 0))[1] == pid]


def tracees_of(pid):
    return [int(entry) for entry in os.listdir("/proc")
            if entry.isdigit() and status_field(entry, "TracerPid") == str(pid)]


def processes_with(variable, value):
    """Those that have this in their environment, zombies excepted."""
    wanted = f"{variable}={value}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            if wanted in pathlib.Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                found.append(int(entry))
        except OSError:
            pass  # gone, or somebody else's
    return found


def adopt_orphans():
    """Makes this process the parent of every orphan among its descendants, so that it can reap them: what
    process 1 of a container or a test machine does with them is anybody's guess."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


# ---- running ----------------------------------------------------------------------------------------------


class Done:
    """How a program ended: `status` is negative where a signal killed it, as in subprocess."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}\n--- stdout\n{_shortened(self.out)}\n--- stderr\n{_shortened(self.err)}"


def _shortened(text, most=4000):
    return text if len(text) <= most else f"{text[:most // 2]}\n... {len(text) - most} more ...\n{text[-most // 2:]}"


class Running:
    """A program that was started and is talked to while it runs."""

    def __init__(self, process):
        self.process = process
        self.pid = process.pid
        self._seen = {process.stdout: b"", process.stderr: b""}

    def line(self, stream=None):
        """The next line of its output, without the newline."""
        stream = stream or self.process.stdout
        end = time.monotonic() + DEADLINE_S
        while b"\n" not in self._seen[stream]:
            if not select.select([stream], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no further line came, only {self._seen[stream]!r}")
            chunk = os.read(stream.fileno(), 65536)
            if not chunk:
                raise AssertionError(f"the output ended with {self._seen[stream]!r}\n{self.end()!r}")
            self._seen[stream] += chunk
        line, self._seen[stream] = self._seen[stream].split(b"\n", 1)
        return line.decode()

    def expect(self, line):
        got = self.line()
        if got != line:
            raise AssertionError(f"expected the line {line!r}, got {got!r}")

    def send(self, signum):
        os.kill(self.pid, signum)

    def end(self, stdin=None):
        """Waits for it; what it had written is what the lines above have not taken."""
        try:
            out, err = self.process.communicate(stdin, timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("it did not end") from None
        out = self._seen[self.process.stdout] + (out or b"")
        err = self._seen[self.process.stderr] + (err or b"")
        done = Done(self.process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
        # pytest shows it with a test that fails.
        print(f"$ {_shortened(' '.join(map(str, self.process.args)))}\n{done!r}".encode(errors="replace").decode())
        return done

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


class Case:
    """A test with a directory of its own, which belongs to the user that the program runs as. What `cleanups`
    has been told to do is done when the test ends."""

    user = None  # None: whoever runs the tests

    @pytest.fixture(name="directory")
    def _directory(self, program):
        if self.user and cannot_become(self.user, program):
            pytest.skip(cannot_become(self.user, program))
        directory = pathlib.Path(tempfile.mkdtemp(prefix="callcensus-cli-"))
        if self.user:
            who = pwd.getpwnam(self.user)
            os.chown(directory, who.pw_uid, who.pw_gid)
        yield directory
        shutil.rmtree(directory, ignore_errors=True)

    @pytest.fixture(autouse=True)
    def _prepared(self, directory):
        self.directory = directory
        with contextlib.ExitStack() as self.cleanups:
            self.cleanups.callback(self._expect_nothing_left)
            self.set_up()
            yield

    def set_up(self):
        """What the tests of a class have in common, before each of them."""

    def _expect_nothing_left(self):
        """Whatever a test started has ended with it, unless the test itself takes care of that."""
        try:
            wait_for(lambda: not self.processes(), "everything that the test started to end", 10)
        except AssertionError as error:
            left = {pid: status_field(pid, "Name") for pid in self.processes()}
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"{error}: {left}") from None

    def processes(self):
        """Everything that this test has started and that still runs."""
        return processes_with("CALLCENSUS_CLI_TEST", self.directory.name)

    # -- running

    def command(self, arguments):
        """As the user of this test."""
        return [*as_user(self.user), *arguments] if self.user else list(arguments)

    def environment(self, **changes):
        """That of the tests, in English, with a search path that every user may search, and with files that
        get lost in the directory of this test."""
        result = {**os.environ, "PYTEST_CURRENT_TEST": None, "LC_ALL": "C", "PATH": SEARCH_PATH,
                  "TMPDIR": str(self.directory), "CALLCENSUS_CLI_TEST": self.directory.name, **changes}
        return {name: value for name, value in result.items() if value is not None}

    def start(self, arguments, *, env=None, cwd=None, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   **options}
        running = Running(subprocess.Popen(  # pylint: disable=consider-using-with
            self.command(arguments), env=env or self.environment(), cwd=cwd or self.directory, **options))
        self.cleanups.callback(running.kill)
        return running

    def run_natively(self, *arguments, stdin=None, **options):
        if stdin is not None:
            options["stdin"] = subprocess.PIPE
        return self.start(arguments, **options).end(stdin)

    def callcensus(self, *arguments, **options):
        return self.run_natively(PROGRAM, *arguments, **options)

    def trace(self, *arguments, **options):
        return self.callcensus("trace", *arguments, **options)

    def start_trace(self, *arguments, **options):
        return self.start([PROGRAM, "trace", *arguments], **options)

    # -- files

    def path(self, name):
        return self.directory / name

    def write(self, name, content, mode=None):
        """A file of the user of this test."""
        path = self.path(name)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")
        if mode is not None:
            path.chmod(mode)
        if self.user:
            who = pwd.getpwnam(self.user)
            os.chown(path, who.pw_uid, who.pw_gid)
        return str(path)

    def json(self, name):
        return json.loads(self.path(name).read_text(encoding="utf-8"))

    def files(self):
        return sorted(entry.name for entry in self.directory.iterdir())

    # -- assertions

    def assert_succeeded(self, done):
        assert done.status == 0

    def assert_complains(self, done, *fragments, status=FAILED):
        """One line on standard error that says all of this, and nothing else anywhere."""
        assert done.status == status
        assert done.out == ""
        assert re.search(r"\Acallcensus: [^\n]+\n\Z", done.err)
        assert not re.search(r"[\x00-\x1f\x7f]", done.err.rstrip("\n")), "control characters reach the terminal"
        for fragment in fragments:
            assert fragment in done.err


class AsNobody:
    """Mixed into a Case: the same tests by a user without privileges. Where the tests are not run by root,
    they are unprivileged in the first place, and conftest.py leaves this one out."""

    user = "nobody"


def as_user(user):
    """The words which, put before a command, have that user execute it."""
    setpriv = shutil.which("setpriv", path=SEARCH_PATH)
    group = str(pwd.getpwnam(user).pw_gid)
    return [setpriv, "--reuid", user, "--regid", group, "--clear-groups", "--"]


@functools.cache
def cannot_become(user, program):
    """Why nothing can be tested as that user, or None."""
    if os.geteuid() != 0:
        return f"only root can become {user}"
    # The program may lie where others cannot reach it.
    tried = subprocess.run([*as_user(user), program, "--version"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
    return f"{user} may not execute {program}" if tried.returncode != 0 else None


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
needs_x86_64 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="needs an x86_64 machine")


def needs(*programs):
    missing = [program for program in programs if shutil.which(program, path=SEARCH_PATH) is None]
    return pytest.mark.skipif(bool(missing), reason="not installed: " + ", ".join(missing))


def tracee(name):
    """The path of a program of tests/tracees; skips the test where it is not built."""
    path = TRACEES / f"tracee_{name}"
    if not path.exists():
        pytest.skip(f"not built: {path.name}")
    return str(path)


# ---- profiles and recordings ------------------------------------------------------------------------------


def observed(profile):
    """The names in the first rule of a profile without a baseline."""
    return set(profile["syscalls"][0]["names"])


def all_names(profile):
    return [name for rule in profile["syscalls"] for name in rule.get("names", [rule.get("name")])]


def recorded(recording):
    """What a recording holds as {name or (abi, number): count}."""
    return {call.get("name", (call["abi"], call["number"])): call["count"] for call in recording["calls"]}


# ---- terminals --------------------------------------------------------------------------------------------


class _Strict(pyte.HistoryScreen):
    def debug(self, *arguments, **_):
        raise AssertionError(f"nothing that a terminal understands: {arguments}")


class Screen:
    """What a terminal shows, and what has left it at the top."""

    def __init__(self, rows, columns):
        self._screen = _Strict(columns, rows, history=10_000)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, output):
        self._stream.feed(output)
        return self

    @property
    def lines(self):
        """From the first one ever, without empty ones at the end."""
        scrolled = ["".join(line[column].data for column in range(self._screen.columns))
                    for line in self._screen.history.top]
        text = "\n".join(line.rstrip() for line in scrolled + self._screen.display)
        return text.rstrip("\n").split("\n")

    @property
    def position(self):
        """Of the cursor: the line, from the first one ever, and the column."""
        return len(self._screen.history.top) + self._screen.cursor.y, self._screen.cursor.x


class Terminal:
    """A program on a terminal of its own, as the leader of a session, and we at the keyboard and the screen.

        terminal = Terminal(case, ["bash", "-i"])
        terminal.type("ls\n")
        terminal.expect(r"some\\.file")
    """

    ROWS, COLUMNS = 24, 80

    def __init__(self, case, arguments, *, env=None, stdin=True, stdout=True, stderr=True):
        """Streams other than True are given to subprocess instead of the terminal."""
        master, slave = os.openpty()
        self._shown = io.BytesIO()
        self._spawn = pexpect.fdpexpect.fdspawn(master, timeout=DEADLINE_S)
        self._spawn.logfile_read = self._shown
        case.cleanups.callback(self.close)
        self.resize(self.ROWS, self.COLUMNS)
        if case.user:
            who = pwd.getpwnam(case.user)
            os.fchown(slave, who.pw_uid, who.pw_gid)

        def take_the_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        def stream(wanted):
            return slave if wanted is True else wanted

        self.process = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            case.command(arguments), stdin=stream(stdin), stdout=stream(stdout), stderr=stream(stderr),
            cwd=case.directory, env=env or case.environment(TERM="dumb"), preexec_fn=take_the_terminal)
        os.close(slave)

    @property
    def output(self):
        """Everything that was ever shown."""
        return self._shown.getvalue()

    def resize(self, rows, columns):
        fcntl.ioctl(self._spawn.child_fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        self._spawn.send(text)

    def screen(self, until=None):
        """What it shows now, or after what was shown when `until` was printed for the first time."""
        end = len(self.output) if until is None else self.output.index(until)
        return Screen(self.ROWS, self.COLUMNS).feed(self.output[:end])

    def foreground(self):
        """The process group that the keyboard's signals go to."""
        return os.tcgetpgrp(self._spawn.child_fd)

    def expect(self, pattern):
        """Waits until the output holds that behind what was expected before; returns the match."""
        try:
            self._spawn.expect(pattern.encode())
        except (pexpect.EOF, pexpect.TIMEOUT):
            raise AssertionError(f"expected {pattern!r}, but got only\n{self._spawn.before!r}\n"
                                 f"of all this output\n{self.output!r}") from None
        return self._spawn.match

    def end(self):
        """Reads to the end of the output; returns the exit status."""
        end = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it did not end; output\n{self.output!r}"
            try:
                self._spawn.read_nonblocking(65536, 0.01)
            except pexpect.TIMEOUT:
                pass
            except pexpect.EOF:  # nobody has the terminal open any more
                self.process.wait(DEADLINE_S)
        with contextlib.suppress(pexpect.EOF, pexpect.TIMEOUT):
            while True:
                self._spawn.read_nonblocking(65536, 0)
        return self.process.returncode

    def hang_up(self):
        """As when the window is closed: the kernel sends SIGHUP to the leader of the session."""
        self._spawn.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hang_up()


class Shell(Terminal):
    """An interactive bash with job control."""

    PROMPT = "ready> "

    def __init__(self, case):
        env = case.environment(TERM="dumb", PS1=self.PROMPT, PS2="", HISTFILE=None, PROMPT_COMMAND=None,
                               CC=PROGRAM)
        super().__init__(case, ["bash", "--norc", "--noprofile", "--noediting", "-i"], env=env)
        self.prompt()

    def prompt(self):
        self.expect(r"ready> ")

    def result(self, command):
        """What a command prints on one line."""
        self.type(f"echo result:$({command}):\n")
        found = self.expect(r"\nresult:([^\n]*):\r\n")
        self.prompt()
        return found[1].decode()

    def last_status(self):
        self.type("echo status=$?\n")
        status = int(self.expect(r"\nstatus=(\d+)\r\n")[1])
        self.prompt()
        return status
