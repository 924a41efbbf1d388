"""On a terminal: job control as without us, and a status line that keeps out of the way."""

import itertools
import json
import os
import re
import signal
import subprocess

import pytest

import harness
from harness import MARK, MARK_NAME, REACTING, Shell, Terminal, is_gone, python, stat_of, wait_for

# What the status line looks like.
STATUS = rb"callcensus \d+:\d\d  processes \d+  calls \d+"

# Lines on the screen: some, and more than fit.
FEW_AND_MANY = [2, Terminal.ROWS + 5]



class TestJobs(harness.Case):
    """Under an interactive shell that knows only callcensus and not its target."""

    def set_up(self):
        super().set_up()
        self.shell = Shell(self)
        self.cleanups.callback(self._end_shell)

    def _end_shell(self):
        self.shell.close()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def script(self, name, code):
        self.write(name, code)
        return f"{harness.PYTHON} -I -S {name}"

    def trace(self, command, *options):  # pylint: disable=arguments-differ
        """Typed to the shell; callcensus's pid is the shell's business, not ours."""
        self.shell.type(" ".join(["$CC trace -q -o p.json", *options, "--", command]) + "\n")

    def state(self, pid):
        return (stat_of(pid) or "?")[0]

    def test_interrupt_by_the_keyboard(self):
        self.trace("sh -c 'echo ready; exec sleep 1000'")
        self.shell.expect("ready\r\n")
        self.shell.type("\x03")
        self.shell.prompt()
        assert self.shell.last_status() == 128 + signal.SIGINT
        assert self.processes() == [self.shell.process.pid]
        assert "execve" in harness.observed(self.json("p.json"))

    def test_quit_by_the_keyboard(self):
        self.trace("sh -c 'ulimit -c 0; echo ready; exec sleep 1000'")
        self.shell.expect("ready\r\n")
        self.shell.type("\x1c")
        self.shell.prompt()
        assert self.shell.last_status() == 128 + signal.SIGQUIT

    def test_interrupt_reaches_the_target_once(self):
        command = self.script("target.py", REACTING + f"""
def interrupt(signum, frame):
    {MARK}
    say("interrupt")
signal.signal(signal.SIGINT, interrupt)
signal.signal(signal.SIGUSR1, lambda *_: None)
say("ready")
until(lambda: arrivals(signal.SIGUSR1))
say("interrupts", arrivals(signal.SIGINT))
os._exit(7)
""")
        self.trace(command)
        self.shell.expect("ready\r\n")
        tracer = self.shell.foreground()
        for _ in range(5):
            self.shell.type("\x03")
            self.shell.expect("interrupt\r\n")
        # Relayed in the order of arrival: a relayed interrupt would come before it.
        os.kill(tracer, signal.SIGUSR1)
        self.shell.expect(r"interrupts 5\r\n")
        self.shell.prompt()
        assert self.shell.last_status() == 7
        assert MARK_NAME in harness.observed(self.json("p.json"))

    def test_target_that_handles_the_interrupt_and_exits(self):
        self.trace("sh -c 'trap \"echo cleaned up; exit 3\" INT; echo ready; while read x; do :; done'")
        self.shell.expect("ready\r\n")
        self.shell.type("\x03")
        self.shell.expect("cleaned up\r\n")
        self.shell.prompt()
        assert self.shell.last_status() == 3

    ASKING = """
import os, sys
sys.stdout.reconfigure(line_buffering=True)
print("ready", os.getpid())
for line in sys.stdin:
    if line == "end\\n":
        break
    print("got", line.strip())
os._exit(5)
"""

    def start_asking(self, *options):
        """A target that echoes lines until `end`; returns its pid and its tracer's."""
        self.trace(self.script("target.py", self.ASKING), *options)
        target = int(self.shell.expect(r"ready (\d+)\r\n")[1])
        return target, self.shell.foreground()

    def end_asking(self):
        self.shell.type("end\n")
        self.shell.prompt()
        assert self.shell.last_status() == 5
        assert "execve" in harness.observed(self.json("p.json"))

    def test_suspended_and_continued(self):
        target, tracer = self.start_asking()
        for i in range(3):
            self.shell.type(f"line {i}\n")
            self.shell.expect(rf"got line {i}\r\n")
            self.shell.type("\x1a")
            self.shell.expect(r"Stopped")
            self.shell.prompt()
            assert self.state(tracer) == "T"
            assert self.state(target) in "Tt"
            assert self.shell.foreground() == self.shell.process.pid
            self.shell.type("fg\n")
            self.shell.expect(r"\$CC trace[^\n]*\n")
            wait_for(lambda: self.shell.foreground() == tracer, "the job to be in the foreground")
        self.shell.type("after\n")
        self.shell.expect("got after\r\n")
        self.end_asking()

    def test_continued_in_the_background(self):
        command = self.script("target.py", REACTING + """
signal.signal(signal.SIGUSR1, lambda *_: say("still there"))
signal.signal(signal.SIGUSR2, lambda *_: os._exit(6))
say("ready", os.getpid())
for_ever()
""")
        self.trace(command)
        target = int(self.shell.expect(r"ready (\d+)\r\n")[1])
        tracer = self.shell.foreground()
        self.shell.type("\x1a")
        self.shell.expect("Stopped")
        self.shell.prompt()
        self.shell.type("bg\n")
        self.shell.prompt()
        os.kill(target, signal.SIGUSR1)
        self.shell.expect("still there\r\n")
        assert self.state(tracer) != "T"
        self.shell.type("fg\n")
        wait_for(lambda: self.shell.foreground() == tracer, "the job to be in the foreground")
        os.kill(tracer, signal.SIGUSR2)
        self.shell.prompt()
        assert self.shell.last_status() == 6

    def test_suspend_that_the_target_handles(self):
        # An editor puts the terminal in order first and then stops itself.
        command = self.script("target.py", REACTING + f"""
def suspend(signum, frame):
    {MARK}
    say("putting things in order")
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(0, signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, suspend)
    say("back again")
signal.signal(signal.SIGTSTP, suspend)
signal.signal(signal.SIGUSR1, lambda *_: os._exit(4))
say("ready", os.getpid())
for_ever()
""")
        self.trace(command)
        self.shell.expect(r"ready (\d+)\r\n")
        tracer = self.shell.foreground()
        for _ in range(2):
            self.shell.type("\x1a")
            self.shell.expect("putting things in order\r\n")
            self.shell.expect("Stopped")
            self.shell.prompt()
            assert self.state(tracer) == "T"
            self.shell.type("fg\n")
            self.shell.expect("back again\r\n")
        os.kill(tracer, signal.SIGUSR1)
        self.shell.prompt()
        assert self.shell.last_status() == 4
        assert MARK_NAME in harness.observed(self.json("p.json"))

    def test_suspend_that_the_target_ignores(self):
        command = self.script("target.py", REACTING + """
signal.signal(signal.SIGTSTP, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, lambda *_: say("still there"))
signal.signal(signal.SIGUSR2, lambda *_: os._exit(4))
say("ready", os.getpid())
for_ever()
""")
        self.trace(command)
        self.shell.expect(r"ready (\d+)\r\n")
        tracer = self.shell.foreground()
        self.shell.type("\x1a")
        self.shell.expect(r"\^Z")  # the terminal now has thrown away what was still to be shown
        os.kill(tracer, signal.SIGUSR1)
        self.shell.expect("still there\r\n")
        assert self.state(tracer) != "T"
        os.kill(tracer, signal.SIGUSR2)
        self.shell.prompt()
        assert self.shell.last_status() == 4

    def test_target_stopped_by_somebody_else(self):
        for signum in (signal.SIGSTOP, signal.SIGTSTP):
            target, tracer = self.start_asking()
            os.kill(target, signum)
            self.shell.expect("Stopped")
            self.shell.prompt()
            assert self.state(tracer) == "T"
            self.shell.type("fg\n")
            wait_for(lambda tracer=tracer: self.shell.foreground() == tracer, "the job to be in the foreground")
            self.shell.type("after\n")
            self.shell.expect("got after\r\n")
            self.end_asking()

    def test_target_that_stops_itself(self):
        self.trace("sh -c 'kill -STOP $$; echo went on; exit 9'")
        self.shell.expect("Stopped")
        self.shell.prompt()
        self.shell.type("fg\n")
        self.shell.expect("went on\r\n")
        self.shell.prompt()
        assert self.shell.last_status() == 9

    def test_continued_by_a_signal_to_us_alone(self):
        command = self.script("target.py", REACTING + """
signal.signal(signal.SIGUSR1, lambda *_: say("still there"))
signal.signal(signal.SIGUSR2, lambda *_: os._exit(6))
say("ready", os.getpid())
for_ever()
""")
        self.trace(command)
        target = int(self.shell.expect(r"ready (\d+)\r\n")[1])
        tracer = self.shell.foreground()
        self.shell.type("\x1a")
        self.shell.expect("Stopped")
        self.shell.prompt()
        os.kill(target, signal.SIGUSR1)  # waits for it to go on
        os.kill(tracer, signal.SIGCONT)
        self.shell.expect("still there\r\n")
        os.kill(tracer, signal.SIGUSR2)
        wait_for(lambda: is_gone(target), "the target to end")

    def test_suspend_sent_to_us_alone(self):
        target, tracer = self.start_asking()
        os.kill(tracer, signal.SIGTSTP)
        self.shell.expect("Stopped")
        self.shell.prompt()
        assert self.state(target) in "Tt"
        self.shell.type("fg\n")
        wait_for(lambda: self.shell.foreground() == tracer, "the job to be in the foreground")
        self.shell.type("after\n")
        self.shell.expect("got after\r\n")
        self.end_asking()

    def test_killed_while_stopped(self):
        target, tracer = self.start_asking()
        self.shell.type("\x1a")
        self.shell.expect("Stopped")
        self.shell.prompt()
        os.kill(tracer, signal.SIGKILL)
        wait_for(lambda: is_gone(tracer) or self.state(tracer) == "Z", "callcensus to end")
        wait_for(lambda: is_gone(target) or self.state(target) == "Z", "the target to end with it")

    def test_background_job_that_reads_the_terminal(self):
        self.write("target.py", self.ASKING)
        self.shell.type(f"$CC trace -q -o p.json -- {harness.PYTHON} -I -S target.py &\n")
        target = int(self.shell.expect(r"ready (\d+)\r\n")[1])
        tracer = int(self.shell.result("jobs -p"))
        # Stopped by SIGTTIN when it reads; bash tells with the next prompt.
        wait_for(lambda: self.state(tracer) == "T", "callcensus to stop with its target")
        assert self.state(target) in "Tt"
        self.shell.type("jobs\n")
        self.shell.expect(r"Stopped")
        self.shell.prompt()
        self.shell.type("fg\n")
        wait_for(lambda: self.shell.foreground() == tracer, "the job to be in the foreground")
        self.shell.type("now\n")
        self.shell.expect("got now\r\n")
        self.end_asking()

    def test_background_job_that_writes_to_the_terminal(self):
        self.shell.type("stty tostop\n")
        self.shell.prompt()
        self.shell.type("$CC trace -q -o p.json -- sh -c 'echo now; exit 3' &\n")
        self.shell.prompt()
        tracer = int(self.shell.result("jobs -p"))
        wait_for(lambda: self.state(tracer) == "T", "callcensus to stop with its target")
        self.shell.type("fg\n")
        self.shell.expect(r"\nnow\r\n")
        self.shell.prompt()
        assert self.shell.last_status() == 3

    def test_background_job_does_not_touch_the_terminal(self):
        # Its status line would come between the prompt and what is typed there.
        self.shell.type("$CC trace --json -o p.json -- sh -c 'sleep 1.7; echo >ended' &\n")
        self.shell.prompt()
        wait_for(self.path("ended").exists, "the target to end")
        self.shell.type("wait\n")
        self.shell.expect(r'"exit_code":0')
        self.shell.prompt()
        assert not re.search(STATUS, self.shell.output)

    def test_pipeline(self):
        # Ctrl-C goes to all of it, and the shell sees the status of ours.
        self.shell.type("$CC trace -q -o p.json -- sh -c 'echo ready >&2; exec sleep 1000' | cat; "
                        "echo statuses=${PIPESTATUS[*]}\n")
        self.shell.expect("\nready\r\n")
        self.shell.type("\x03")
        self.shell.prompt()
        self.shell.type("$CC trace -q -o p.json -- seq 1000000 | head -1; echo statuses=${PIPESTATUS[*]}\n")
        self.shell.expect(rf"\n1\r\nstatuses={128 + signal.SIGPIPE} 0\r\n")

    def test_make_sees_the_interrupt(self):
        # A script goes on after a child that handled Ctrl-C, and ends after one that died of it.
        self.write("script.sh", '"$CC" trace -q -o p.json -- sh -c "echo ready; exec sleep 1000"\necho NEVER\n')
        self.shell.type("export CC; bash script.sh\n")
        self.shell.expect("\nready\r\n")
        self.shell.type("\x03")
        self.shell.prompt()
        assert self.shell.last_status() == 128 + signal.SIGINT
        assert b"\nNEVER" not in self.shell.output

    def test_terminal_hung_up(self):
        command = self.script("target.py", REACTING + f"""
def hang_up(signum, frame):
    {MARK}
    open("hung-up", "a").write("once ")
    os._exit(0)
signal.signal(signal.SIGHUP, hang_up)
say("ready", os.getpid())
for_ever()
""")
        self.trace(command)
        self.shell.expect(r"ready (\d+)\r\n")
        tracer = self.shell.foreground()
        self.shell.hang_up()
        wait_for(lambda: is_gone(tracer) or self.state(tracer) == "Z", "callcensus to end")
        assert self.path("hung-up").read_text(encoding="ascii") == "once "
        assert MARK_NAME in harness.observed(self.json("p.json"))

    def test_daemon_left_behind_on_a_terminal(self):
        os.mkfifo(self.path("go"))
        os.chmod(self.path("go"), 0o666)
        self.shell.type("$CC trace --json -o p.json -- sh -c 'trap \"\" INT; (read x <go) & exit 3' 2>err.json\n")
        target = wait_for(lambda: self.shell.foreground() != self.shell.process.pid and self.shell.foreground(),
                          "the job to be in the foreground")
        # The shell that starts it has gone when only the daemon is traced.
        wait_for(lambda: len(harness.tracees_of(target)) == 1 and self.path("go").is_fifo() and
                 any(harness.status_field(pid, "PPid") != str(target) for pid in harness.tracees_of(target)),
                 "only the daemon to be left")
        self.shell.type("\x03")
        self.shell.prompt()
        assert self.shell.last_status() == 3
        summary = json.loads(self.path("err.json").read_text(encoding="utf-8").splitlines()[-1])
        assert summary["let_go"] == 1
        go = os.open(self.path("go"), os.O_RDWR)
        os.write(go, b"\n")
        wait_for(lambda: self.processes() == [self.shell.process.pid], "the daemon to end by itself")
        os.close(go)


class TestJobsAsNobody(harness.AsNobody, TestJobs):
    pass


class TestStatusLineBasics(harness.Case):
    def set_up(self):
        super().set_up()
        os.mkfifo(self.path("go"))
        os.chmod(self.path("go"), 0o666)

    def let_go(self):
        self.path("go").write_text("\n", encoding="ascii")

    def terminal(self, *arguments, **options):
        return Terminal(self, [harness.PROGRAM, "trace", "-o", "p.json", *arguments], **options)

    def assert_no_status(self, screen):
        assert not re.search(STATUS, "\n".join(screen.lines).encode())

    def test_appears_after_a_second_and_makes_way(self):
        terminal = self.terminal("--", "sh", "-c", "read x <go; echo done; echo failed >&2")
        terminal.expect(STATUS.decode())
        seconds = int(re.search(rb"callcensus (\d+):(\d\d)", terminal.output)[2])
        assert seconds >= 1
        assert re.search(STATUS, "\n".join(terminal.screen().lines).encode())
        self.let_go()
        assert terminal.end() == 0
        self.assert_no_status(terminal.screen(until=b"done"))
        lines = terminal.screen().lines
        assert lines[:2] == ["done", "failed"]
        assert re.search(r"^callcensus: .*callcensus: profile written to p\.json: ", "".join(lines[2:]))


class TestStatusLineBasicsAsNobody(harness.AsNobody, TestStatusLineBasics):
    pass


class TestStatusLine(TestStatusLineBasics):
    test_appears_after_a_second_and_makes_way = None

    def test_the_terminal_gone_does_not_matter(self):
        terminal = self.terminal("--", "sh", "-c", "trap '' HUP; read x <go; echo >ended")
        terminal.expect(STATUS.decode())
        tracer = terminal.process.pid
        terminal.hang_up()
        self.let_go()
        wait_for(lambda: is_gone(tracer) or terminal.process.poll() is not None, "callcensus to end")
        assert self.path("ended").exists()
        assert "execve" in harness.observed(self.json("p.json"))

    def test_output_of_the_target_is_never_damaged(self):
        # More lines than the screen has, some long enough to be wrapped, at all moments between two ticks.
        code = r"""
import os, time
for i in range(60):
    os.write(1 + i % 2, f"line {i}{'.' * (i % 7 * 15)}\n".encode())
    time.sleep(0.035)
"""
        terminal = self.terminal("--", *python(code))
        assert terminal.end() == 0
        assert re.search(STATUS, terminal.output)
        expected = harness.Screen(terminal.ROWS, terminal.COLUMNS).feed(
            "".join(f"line {i}{'.' * (i % 7 * 15)}\r\n" for i in range(60)).encode())
        assert terminal.screen(until=b"callcensus: ").lines == expected.lines

    def test_not_beside_a_process_that_writes_unseen(self):
        # Nobody tells of its calls, so nobody can wipe the line before it writes.
        code = "import os, select; select.select([], [], [], 1.6); os.write(1, b'written\\n')"
        terminal = self.terminal("--patience", "0", "--", *python(code))
        assert terminal.end() == 0
        assert not re.search(STATUS, terminal.output)
        assert b"written\r\n" in terminal.output

    def test_beside_a_process_that_runs_freely_without_the_terminal(self):
        terminal = self.terminal("--patience", "0", "--", "sh", "-c",
                                 "exec </dev/null >out 2>&1; read x <go; echo written")
        terminal.expect(STATUS.decode())
        self.let_go()
        assert terminal.end() == 0
        assert self.path("out").read_text(encoding="ascii") == "written\n"

    def assert_stays(self, above, written, *, typed=""):
        """What the target has written without a newline is still wanted; and so is what was typed then."""
        code = "import os, select\n" \
            f"os.write(1, b'above\\n' * {above} + {written!r})\n" \
            "select.select([], [], [], 1.6)\n" \
            "open('waited', 'w').close()\n" \
            "open('go').readline()\n"
        terminal = self.terminal("--", *python(code))
        terminal.expect(re.escape(written.decode().replace("\n", "\r\n")))
        terminal.type(typed)
        wait_for(self.path("waited").exists, "the target to have waited")
        self.let_go()
        assert terminal.end() == 0
        expected = harness.Screen(terminal.ROWS, terminal.COLUMNS).feed(
            (b"above\r\n" * above + written.replace(b"\n", b"\r\n")) + typed.encode())
        got = terminal.screen(until=b"callcensus: ")
        assert got.lines == expected.lines
        assert got.position == expected.position

    @pytest.mark.parametrize("above", FEW_AND_MANY)
    def test_question_stays_on_the_screen(self, above):
        self.assert_stays(above, b"who are you? ")

    @pytest.mark.parametrize("above", FEW_AND_MANY)
    def test_typed_answer_stays_on_the_screen(self, above):
        self.assert_stays(above, b"who are you? ", typed="somebo")

    @pytest.mark.parametrize("above", FEW_AND_MANY)
    def test_typed_ahead_stays_on_the_screen(self, above):
        self.assert_stays(above, b"busy\n", typed="next comm")

    @pytest.mark.parametrize("above", FEW_AND_MANY)
    def test_answered_question(self, above):
        terminal = self.terminal("--", *python(
            "import os\n"
            f"os.write(1, b'above\\n' * {above} + b'who are you? ')\n"
            "name = os.read(0, 100).decode().strip()\n"
            "os.write(1, f'hello {name}\\n'.encode())\n"))
        terminal.expect(r"who are you\? ")
        terminal.expect(STATUS.decode())
        terminal.type("somebody\n")
        assert terminal.end() == 0
        assert (terminal.screen(until=b"callcensus: ").lines ==
                ["above"] * above + ["who are you? somebody", "hello somebody"])

    @pytest.mark.parametrize("above", FEW_AND_MANY)
    def test_lines_typed_ahead(self, above):
        # Each one moves the cursor down to where the status line is.
        terminal = self.terminal("--", *python(
            f"import os\nos.write(1, b'above\\n' * {above})\n"
            "open('go').readline()\nos.write(1, b'done\\n')\n"))
        for line in ("one", "two"):
            terminal.expect(STATUS.decode())
            terminal.type(f"{line}\n")
            terminal.expect(f"{line}\r\n")
        terminal.expect(STATUS.decode())
        self.let_go()
        assert terminal.end() == 0
        assert terminal.screen(until=b"callcensus: ").lines == ["above"] * above + ["one", "two", "done"]

    @pytest.mark.parametrize("above", FEW_AND_MANY)
    def test_progress_bar_stays_on_the_screen(self, above):
        self.assert_stays(above, b"50 percent\r")

    def test_not_while_the_terminal_is_in_raw_mode(self):
        # An editor. Afterwards the status line comes, which shows that it would have come before.
        code = r"""
import os, select, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
os.write(1, b"full screen\r\n")
select.select([], [], [], 1.8)
os.write(1, b"leaving\r\n")
termios.tcsetattr(0, termios.TCSANOW, before)
open("go").readline()
"""
        terminal = self.terminal("--", *python(code))
        assert not re.search(STATUS, terminal.expect("full screen\r\n(.*)leaving\r\n")[1])
        terminal.expect(STATUS.decode())
        self.let_go()
        assert terminal.end() == 0

    def test_not_while_a_password_is_asked_for(self):
        code = r"""
import os, select, termios
mode = termios.tcgetattr(0)
before = list(mode)
mode[3] &= ~termios.ECHO
termios.tcsetattr(0, termios.TCSANOW, mode)
os.write(1, b"password: ")
select.select([], [], [], 1.8)
os.write(1, b"thanks\n")
termios.tcsetattr(0, termios.TCSANOW, before)
open("go").readline()
"""
        terminal = self.terminal("--", *python(code))
        assert not re.search(STATUS, terminal.expect("password: (.*)thanks\r\n")[1])
        terminal.expect(STATUS.decode())
        self.let_go()
        assert terminal.end() == 0

    def test_not_when_quiet_and_not_to_a_file(self):
        wait = ["sh", "-c", "sleep 1.6"]
        terminal = self.terminal("-q", "--", *wait)
        assert terminal.end() == 0
        assert terminal.output == b""
        with open(self.path("err"), "wb") as err:
            terminal = self.terminal("--", *wait, stderr=err)
            assert terminal.end() == 0
        assert terminal.output == b""
        assert not re.search(STATUS, self.path("err").read_bytes())
        assert b"\r" not in self.path("err").read_bytes()

    def test_fits_the_width(self):
        terminal = self.terminal("--", "sh", "-c", "read x <go")
        terminal.resize(24, 30)
        terminal.expect(r"callcensus \d+:\d\d")
        self.let_go()
        assert terminal.end() == 0
        for line in re.findall(rb"callcensus \d+:[^\r\x1b]*", terminal.output):
            assert len(line) < 30

    def test_tells_of_daemons(self):
        terminal = self.terminal("--", "sh", "-c", "(read x <go) & exit 3")
        terminal.expect(r"callcensus: the command has ended; following a process")
        self.let_go()
        assert terminal.end() == 3


class TestStreams(harness.Case):
    """Input, output and the terminal reach the target as they are."""

    def test_standard_output_holds_only_what_the_target_wrote(self):
        content = bytes(range(256)) * 1000
        code = f"import os\ndata = bytes(range(256)) * 1000\nwhile data: data = data[os.write(1, data):]\n" \
            "import select\nselect.select([], [], [], 1.3)\n"
        with open(self.path("out"), "wb") as out:
            terminal = Terminal(self, [harness.PROGRAM, "trace", "-o", "p.json", "--", *python(code)], stdout=out)
            assert terminal.end() == 0
        assert self.path("out").read_bytes() == content
        assert re.search(STATUS, terminal.output)

    def test_input_reaches_the_target(self):
        content = os.urandom(300_000)
        self.write("in", content)
        with open(self.path("in"), "rb") as stdin, open(self.path("out"), "wb") as out:
            running = self.start_trace("-q", "-o", "p.json", "cat", stdin=stdin, stdout=out)
            assert running.process.wait(harness.DEADLINE_S) == 0
        assert self.path("out").read_bytes() == content

    def test_input_is_not_read_by_us(self):
        # The target takes one line; the rest is for whoever comes next.
        done = self.run_natively("sh", "-c", '"$0" trace -q -o p.json -- sh -c "read line; echo first: \\$line"; cat',
                                 harness.PROGRAM, stdin=b"one\ntwo\nthree\n")
        assert done.out == "first: one\ntwo\nthree\n"

    def test_end_of_typed_input(self):
        terminal = Terminal(self, [harness.PROGRAM, "trace", "-q", "-o", "p.json", "cat"])
        terminal.type("typed\n")
        terminal.expect("typed\r\ntyped\r\n")
        terminal.type("\x04")
        assert terminal.end() == 0

    def test_what_the_target_finds_on_its_descriptors(self):
        code = "import os; open('found', 'w').write(repr([os.isatty(fd) for fd in (0, 1, 2)] " \
            "+ [os.getpgrp() == os.tcgetpgrp(fd) for fd in (0, 1, 2) if os.isatty(fd)]" \
            "+ [os.get_terminal_size(fd) for fd in (0, 1, 2) if os.isatty(fd)]))"
        for stdin in (True, subprocess.DEVNULL):
            for stdout in (True, subprocess.DEVNULL):
                for stderr in (True, subprocess.DEVNULL):
                    found = []
                    for prefix in ([], [harness.PROGRAM, "trace", "-q", "-o", "p.json", "--"]):
                        terminal = Terminal(self, [*prefix, *python(code)], stdin=stdin, stdout=stdout, stderr=stderr)
                        assert terminal.end() == 0, terminal.output
                        found.append(self.path("found").read_text(encoding="ascii"))
                    assert found[0] == found[1]
                    assert found[0].count("True") == 2 * [stdin, stdout, stderr].count(True)

    def test_terminal_settings_are_left_alone(self):
        terminal = Terminal(self, ["sh", "-c", 'stty -a; "$0" trace -o p.json -- sleep 1.3; stty -a', harness.PROGRAM])
        assert terminal.end() == 0
        settings = re.findall(rb"speed .*?-extproc", terminal.output, re.DOTALL)
        assert len(settings) == 2
        assert settings[0] == settings[1]

    def test_new_size_of_the_terminal(self):
        code = REACTING + """
signal.signal(signal.SIGWINCH, lambda *_: say("now", *os.get_terminal_size(0)))
signal.signal(signal.SIGUSR1, lambda *_: None)
say("ready")
until(lambda: arrivals(signal.SIGUSR1))
say("resized", arrivals(signal.SIGWINCH))
"""
        terminal = Terminal(self, [harness.PROGRAM, "trace", "-q", "-o", "p.json", "--", *python(code)])
        terminal.expect("ready\r\n")
        for i in range(1, 6):
            terminal.resize(30 + i, 90 + i)
            terminal.expect(rf"now {90 + i} {30 + i}\r\n")
        os.kill(terminal.foreground(), signal.SIGUSR1)
        terminal.expect("resized 5\r\n")  # each once: the terminal tells the target by itself
        assert terminal.end() == 0


    def test_what_the_terminal_sends_is_not_passed_on(self):
        # It has reached the target already. We are held back until the target (which makes no call meanwhile:
        # it would stop on its way out first) has taken it, so that a second one would not merge with it.
        code = REACTING + """
names = ["INT", "QUIT", "TSTP", "WINCH"]
for name in names:
    signal.signal(getattr(signal, "SIG" + name), lambda *_: None)
ended = []
signal.signal(signal.SIGUSR1, lambda *_: ended.append(True))
say("ready", os.getpid())
while not ended:
    pass
say(*(arrivals(getattr(signal, "SIG" + name)) for name in names))
"""
        terminal = Terminal(self, [harness.PROGRAM, "trace", "-q", "-o", "p.json", "--", *python(code)])
        target = int(terminal.expect(r"ready (\d+)\r\n")[1])
        tracer = terminal.process.pid
        columns = itertools.count(90)
        causes = [lambda: terminal.type("\x03"), lambda: terminal.type("\x1c"), lambda: terminal.type("\x1a"),
                  lambda: terminal.resize(30, next(columns))]
        for cause in causes * 3:
            wait_for(lambda: stat_of(target)[0] == "R", "the target to be busy")
            os.kill(tracer, signal.SIGSTOP)
            wait_for(lambda: stat_of(tracer)[0] == "T", "callcensus to be held back")
            cause()
            wait_for(lambda: stat_of(target)[0] == "t", "the target to stop before it gets the signal")
            os.kill(tracer, signal.SIGCONT)
        wait_for(lambda: stat_of(target)[0] == "R", "the target to be busy")
        os.kill(tracer, signal.SIGUSR1)
        terminal.expect(r"3 3 3 3\r\n")
        assert terminal.end() == 0

    def test_hung_up_without_a_shell(self):
        # As the leader of the session (ssh -t, xterm -e, docker run -t) we alone are told by the kernel.
        code = REACTING + f"""
def hang_up(signum, frame):
    {MARK}
    open("hung-up", "w").close()
    os._exit(0)
signal.signal(signal.SIGHUP, hang_up)
say("ready")
for_ever()
"""
        terminal = Terminal(self, [harness.PROGRAM, "trace", "-o", "p.json", "--", *python(code)])
        terminal.expect("ready\r\n")
        terminal.hang_up()
        assert terminal.process.wait(harness.DEADLINE_S) == 0
        assert self.path("hung-up").exists()
        assert MARK_NAME in harness.observed(self.json("p.json"))


class TestStreamsAsNobody(harness.AsNobody, TestStreams):
    pass
