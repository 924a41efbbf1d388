"""What the tests of the real program share.

    class Something(harness.Case):
        def test_it(self):
            done = self.trace("-o", "p.json", "--", "true")     # in a directory of its own
            self.assertEqual(done.status, 0)

    class SomethingAsNobody(harness.AsNobody, Something):       # the same again, unprivileged
        pass

    if __name__ == "__main__":
        harness.main()

The program under test is named by the environment variable CALLCENSUS. Nothing here sleeps and hopes: what
has to happen is waited for, with a deadline that only a failure reaches.

main() ends its output with "SKIPPED: reason" lines when a test could not run here and none failed.

With CALLCENSUS_TEST_AS_ONE_USER in the environment the tests that nobody only repeats are left out: for a run
that looks for something in the code that does not depend on the user, such as one under sanitizers.
"""

import ctypes
import fcntl
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
import unittest

PROGRAM = os.path.abspath(os.environ["CALLCENSUS"]) if "CALLCENSUS" in os.environ else None
ONE_USER = bool(os.environ.get("CALLCENSUS_TEST_AS_ONE_USER"))
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

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
        return f"status {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


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
        return Done(self.process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


class Case(unittest.TestCase):
    """A test with a directory of its own, which belongs to the user that the program runs as."""

    user = None  # None: whoever runs the tests
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if PROGRAM is None:
            raise unittest.SkipTest("set CALLCENSUS to the program under test")

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="callcensus-cli-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.addCleanup(self._expect_nothing_left)
        if self.user:
            who = pwd.getpwnam(self.user)
            os.chown(self.directory, who.pw_uid, who.pw_gid)

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
        if not self.user:
            return list(arguments)
        group = str(pwd.getpwnam(self.user).pw_gid)
        setpriv = shutil.which("setpriv", path=SEARCH_PATH)
        return [setpriv, "--reuid", self.user, "--regid", group, "--clear-groups", "--", *arguments]

    def environment(self, **changes):
        """That of the tests, in English, with a search path that every user may search, and with files that
        get lost in the directory of this test."""
        result = {**os.environ, "LC_ALL": "C", "PATH": SEARCH_PATH, "TMPDIR": str(self.directory),
                  "CALLCENSUS_CLI_TEST": self.directory.name, **changes}
        return {name: value for name, value in result.items() if value is not None}

    def start(self, arguments, *, env=None, cwd=None, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   **options}
        running = Running(subprocess.Popen(  # pylint: disable=consider-using-with
            self.command(arguments), env=env or self.environment(), cwd=cwd or self.directory, **options))
        self.addCleanup(running.kill)
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

    def assertSucceeded(self, done):  # pylint: disable=invalid-name
        self.assertEqual(done.status, 0, done)

    def assertComplains(self, done, *fragments, status=FAILED):  # pylint: disable=invalid-name
        """One line on standard error that says all of this, and nothing else anywhere."""
        self.assertEqual(done.status, status, done)
        self.assertEqual(done.out, "", done)
        self.assertRegex(done.err, r"\Acallcensus: [^\n]+\n\Z")
        self.assertNotRegex(done.err.rstrip("\n"), r"[\x00-\x1f\x7f]",
                            "control characters reach the terminal")
        for fragment in fragments:
            self.assertIn(fragment, done.err)


class AsNobody:
    """Mixed into a Case: the same tests by a user without privileges. Where the tests are not run by root,
    they are unprivileged in the first place, and main() leaves this one out."""

    user = "nobody"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can become nobody")
        # The program may lie where nobody cannot reach it.
        if subprocess.run(Case.command(cls, [PROGRAM, "--version"]), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode != 0:
            raise unittest.SkipTest(f"nobody may not execute {PROGRAM}")


def needs_root(test):
    return unittest.skipUnless(os.geteuid() == 0, "needs root")(test)


def needs(*programs):
    missing = [program for program in programs if shutil.which(program, path=SEARCH_PATH) is None]
    return unittest.skipIf(missing, "not installed: " + ", ".join(missing))


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


class Screen:
    """What a terminal shows: enough of one for line breaks, wrapping, scrolling, moving and erasing."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.scrolled = []  # what has left it at the top
        self.shown = [""] * rows
        self.row = self.column = 0
        self.saved = (0, 0)

    @property
    def lines(self):
        """From the first one ever, without empty ones at the end."""
        text = "\n".join(line.rstrip() for line in self.scrolled + self.shown)
        return text.rstrip("\n").split("\n")

    @property
    def position(self):
        """Of the cursor: the line, from the first one ever, and the column."""
        return len(self.scrolled) + self.row, self.column

    def feed(self, output):
        for control, text in re.findall(r"(\x1b\[[0-9;]*[A-Za-z]|\x1b.|[\r\n\b])|([^\x1b\r\n\b]+)",
                                        output.decode(errors="replace"), re.DOTALL):
            for character in text:
                self._put(character)
            if control:
                self._obey(control)
        return self

    def _put(self, character):
        if self.column == self.columns:
            self.column = 0
            self._down()
        line = self.shown[self.row].ljust(self.column)
        self.shown[self.row] = line[:self.column] + character + line[self.column + 1:]
        self.column += 1

    def _down(self):
        if self.row + 1 < self.rows:
            self.row += 1
        else:
            self.scrolled.append(self.shown.pop(0))
            self.shown.append("")

    def _up(self):
        if self.row > 0:
            self.row -= 1
        else:
            self.shown.pop()
            self.shown.insert(0, "")

    def _obey(self, control):
        count = int("0" + re.sub(r"\D", "", control)) or 1
        name = control.lstrip("\x1b[").lstrip("0123456789;") if control.startswith("\x1b[") else control
        if name == "\r":
            self.column = 0
        elif name == "\b":
            self.column = max(0, self.column - 1)
        elif name in ("\n", "\x1bD"):
            self._down()
        elif name == "\x1bM":
            self._up()
        elif name == "\x1b7":
            self.saved = (self.row, self.column)
        elif name == "\x1b8":
            self.row, self.column = self.saved
        elif name == "A":
            self.row = max(0, self.row - count)
        elif name == "B":
            self.row = min(self.rows - 1, self.row + count)
        elif name in ("J", "K"):
            self.shown[self.row] = self.shown[self.row][:self.column]
            if name == "J":
                self.shown[self.row + 1:] = [""] * (self.rows - self.row - 1)
        else:
            raise AssertionError(f"teach this screen {control!r}")


class Terminal:
    """A program on a terminal of its own, as the leader of a session, and we at the keyboard and the screen.

        terminal = Terminal(case, ["bash", "-i"])
        terminal.type("ls\n")
        terminal.expect(r"some\\.file")
    """

    ROWS, COLUMNS = 24, 80

    def __init__(self, case, arguments, *, env=None, stdin=True, stdout=True, stderr=True):
        """Streams other than True are given to subprocess instead of the terminal."""
        self.master, slave = os.openpty()
        case.addCleanup(self.close)
        self.resize(self.ROWS, self.COLUMNS)
        if case.user:
            who = pwd.getpwnam(case.user)
            os.fchown(slave, who.pw_uid, who.pw_gid)
        self.output = b""  # everything that was ever shown
        self._from = 0     # where expect() goes on

        def take_the_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        def stream(wanted):
            return slave if wanted is True else wanted

        self.process = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            case.command(arguments), stdin=stream(stdin), stdout=stream(stdout), stderr=stream(stderr),
            cwd=case.directory, env=env or case.environment(TERM="dumb"), preexec_fn=take_the_terminal)
        os.close(slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def screen(self, until=None):
        """What it shows now, or after what was shown when `until` was printed for the first time."""
        end = len(self.output) if until is None else self.output.index(until)
        return Screen(self.ROWS, self.COLUMNS).feed(self.output[:end])

    def foreground(self):
        """The process group that the keyboard's signals go to."""
        return os.tcgetpgrp(self.master)

    def _read(self, seconds):
        """False when nobody has the terminal open any more, or when nothing came."""
        if not select.select([self.master], [], [], max(0, seconds))[0]:
            return False
        try:
            chunk = os.read(self.master, 65536)
        except OSError:  # EIO: the last process has closed it
            return False
        self.output += chunk
        return bool(chunk)

    def expect(self, pattern):
        """Waits until the output holds that behind what was expected before; returns the match."""
        end = time.monotonic() + DEADLINE_S
        while True:
            found = re.search(pattern.encode(), self.output[self._from:], re.DOTALL)
            if found:
                self._from += found.end()
                return found
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"expected {pattern!r} after\n{self.output[:self._from].decode()!r}\n"
                                     f"but got only\n{self.output[self._from:].decode()!r}")

    def end(self):
        """Reads to the end of the output; returns the exit status."""
        end = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"it did not end; output\n{self.output.decode()!r}")
            self._read(0.01)
        while self._read(0):
            pass
        return self.process.returncode

    def hang_up(self):
        """As when the window is closed: the kernel sends SIGHUP to the leader of the session."""
        os.close(self.master)
        self.master = -1

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.master >= 0:
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


# ---- main -------------------------------------------------------------------------------------------------


def _tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _tests_of(test)
        else:
            yield test


def main():
    """Runs the tests of the calling file; arguments as for unittest."""
    class Loader(unittest.TestLoader):
        def loadTestsFromTestCase(self, testCaseClass):
            if issubclass(testCaseClass, AsNobody) and os.geteuid() != 0:
                return unittest.TestSuite()
            return super().loadTestsFromTestCase(testCaseClass)

        def getTestCaseNames(self, testCaseClass):
            names = super().getTestCaseNames(testCaseClass)
            if ONE_USER and issubclass(testCaseClass, AsNobody):
                # What it does not inherit is nobody's own.
                return [name for name in names if name in vars(testCaseClass)]
            return names

    if PROGRAM is None:
        sys.exit("set CALLCENSUS to the program under test")
    adopt_orphans()
    program = unittest.main(testLoader=Loader(), exit=False, verbosity=2)
    result = program.result
    if result.wasSuccessful():
        # A failure must not hide behind a skip: a test runner that finds this line looks no further.
        for reason in sorted({reason for _, reason in result.skipped}):
            print(f"SKIPPED: {reason}")
    sys.exit(not result.wasSuccessful())
