"""Real programs, each to be run again and again in the same way behind different tracers.

    workload = NginxInForeground()
    reason = workload.missing()             # why it cannot run on this machine, or None
    workload.prepare(an_empty_directory)    # once
    workload.run(["strace", "-f", "-o", log, "--"])
    workload.run(["callcensus", "trace", ..., "--"])

Every run finds the same files at the same paths, and a failure of the program itself is an AssertionError.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import comparison

# Between two looks at something which another process is about to do.
POLL_INTERVAL_S = 0.01


class Workload:
    """A command that runs in a directory of its own, made anew for each run, and ends by itself."""

    name = ""
    tools = ()
    files = {}

    def missing(self):
        """Why it cannot run here, or None."""
        return comparison.missing_tool(*self.tools)

    def prepare(self, directory):
        """What all runs share; `directory` is empty, in a temporary one, and stays until the last of them."""
        self.shared = pathlib.Path(directory)
        self.directory = self.shared / "run"

    def command(self):
        """The words to be executed."""
        raise NotImplementedError

    def lay_out(self):
        """The directory as every run finds it."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        for name, content in self.files.items():
            (self.directory / name).write_text(content, encoding="utf-8")

    def run(self, prefix, status=0):
        """Runs the program behind the words of a tracer, with which it has to end with that exit status; its
        output."""
        self.lay_out()
        return self.execute([*prefix, *self.command()], status)

    def execute(self, command, status):
        completed = comparison.run(command, cwd=self.directory)
        if completed.returncode != status:
            raise AssertionError(f"{self.name}: not exit status {status}{comparison.described(completed)}")
        return completed.stdout


class Command(Workload):
    """Any that needs nothing but files."""

    def __init__(self, name, command, files=None, tools=None):
        self.name = name
        self.words = command
        self.files = files or {}
        self.tools = tools or (command[0],)

    def command(self):
        return self.words


class ListDirectory(Workload):
    name = "ls -l"
    tools = ("ls",)
    files = {"one": "1", "two": "22", "three": "333"}

    def command(self):
        return ["ls", "-l"]


class Busybox(Workload):
    name = "a static busybox applet"
    tools = ("busybox",)
    files = {"one": "1", "two": "22", "three": "333"}

    def command(self):
        return ["busybox", "ls", "-l"]


class Tracee(Workload):
    """A program of tests/tracees."""

    def __init__(self, program):
        self.program = program
        self.name = f"tracee_{program}"

    def missing(self):
        if comparison.tracee(self.program):
            return None
        return f"{self.name} is not built, or CALLCENSUS_TRACEES does not say where"

    def command(self):
        return [comparison.tracee(self.program)]


class ShellPipeline(Workload):
    name = "a shell pipeline with subshells"
    tools = ("sh", "seq", "sort", "head", "cat", "wc", "expr")
    files = {"script": """\
        (seq 2000; (echo x; echo y)) | sort -r | (head -n 3; cat >/dev/null) | wc -l
        sum=$(expr $(wc -c <script) + $(echo 1))
        for number in 1 2 3; do (exit $number) & done
        wait
        trap : USR1
        (kill -USR1 $$)
        test "$sum" -gt 1
        """}

    def command(self):
        return ["sh", "script"]


class PythonThreads(Workload):
    name = "python3 with threads"
    files = {"script.py": """\
import queue
import threading

results = queue.Queue()
lock = threading.Lock()
total = 0

def work(number):
    global total
    for _ in range(100):
        with lock:
            total += number
    with open("script.py") as file:
        results.put(len(file.read()))

threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert total == 2800 and results.qsize() == 8
"""}

    def command(self):
        # -I: neither the user's packages nor PYTHONPATH; -S: none of the site's either.
        return [sys.executable, "-I", "-S", "script.py"]


class GitClone(Workload):
    name = "git clone of a local repository"
    tools = ("git",)
    ENVIRONMENT = {**comparison.ENVIRONMENT, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a",
                   "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
                   "GIT_COMMITTER_EMAIL": "a@example.org"}

    def prepare(self, directory):
        super().prepare(directory)
        repository = self.shared / "repository"
        repository.mkdir()
        (repository / "file").write_text("content\n" * 1000, encoding="utf-8")
        for words in ("init", "add file", "commit -m first"):
            completed = comparison.run(["git", *words.split()], cwd=repository, env=self.ENVIRONMENT)
            if completed.returncode != 0:
                raise AssertionError(comparison.described(completed))

    def command(self):
        # --no-local: through upload-pack and index-pack, as from elsewhere, not by linking files.
        return ["git", "clone", "--quiet", "--no-local", self.shared / "repository", "clone"]


class Compile(Workload):
    name = "a gcc compile"
    tools = ("gcc",)
    files = {"program.c": '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n'}

    def command(self):
        return ["gcc", "-O1", "-o", "program", "program.c"]


class ParallelMake(Workload):
    name = "make -j2"
    tools = ("make", "gcc", "ar")
    files = {
        "a.c": "int a(void) { return 1; }\n",
        "b.c": "int b(void) { return 2; }\n",
        "c.c": "int c(void) { return 3; }\n",
        "Makefile": "all: library.a count\n"
                    "library.a: a.o b.o c.o\n\tar rc $@ $^\n"
                    "%.o: %.c\n\tgcc -c -o $@ $<\n"
                    "count: library.a\n\tar t $< | wc -l >$@\n",
    }

    def command(self):
        return ["make", "-j2"]


class Go(Workload):
    name = "a Go program"

    def missing(self):
        return None if shutil.which("go") else "not installed: go"

    def prepare(self, directory):
        super().prepare(directory)
        environment = {**comparison.ENVIRONMENT, "PATH": os.environ["PATH"], "GO111MODULE": "off",
                       "GOCACHE": str(self.shared / "cache"), "GOPATH": str(self.shared / "path"),
                       "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
        source = pathlib.Path(__file__).with_name("http_over_loopback.go").resolve()
        completed = comparison.run(["go", "build", "-o", "program", source], cwd=self.shared, env=environment)
        if completed.returncode != 0:
            raise AssertionError(comparison.described(completed))

    def command(self):
        return [self.shared / "program"]


class Server(Workload):
    """A program that serves on a port of 127.0.0.1 until it is told to end."""

    def prepare(self, directory):
        super().prepare(directory)
        # The workers of a server that root starts are somebody else, and temporary directories are private.
        for path in (self.shared, self.shared.parent):
            path.chmod(0o755)
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.port = unused.getsockname()[1]

    def execute(self, command, status):
        with contextlib.ExitStack() as stack:
            log = stack.enter_context((self.directory / "output").open("w+", encoding="utf-8"))
            process = stack.enter_context(subprocess.Popen(
                [str(word) for word in command], cwd=self.directory, env=comparison.ENVIRONMENT,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))
            try:
                with self.connection(process) as connection:
                    self.use(connection)
                ended = process.wait(timeout=comparison.RUN_TIMEOUT_S)
            finally:
                if process.poll() is None:
                    self.kill(process)
            log.seek(0)
            if ended != status:
                raise AssertionError(f"{self.name}: exit status {ended}, not {status}\n{log.read()}")
        # What a server writes tells the time.
        return ""

    def connection(self, process):
        """The first one that the server accepts: those before, refused by the kernel, it knows nothing of."""
        give_up = time.monotonic() + comparison.RUN_TIMEOUT_S
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", self.port))
            except ConnectionRefusedError:
                if time.monotonic() > give_up or process.poll() is not None:
                    raise
                time.sleep(POLL_INTERVAL_S)
                continue
            connection.settimeout(comparison.RUN_TIMEOUT_S)
            return connection

    def use(self, connection):
        """Asks for something, and tells the server to end."""
        raise NotImplementedError

    def kill(self, process):
        """After a failure."""
        os.killpg(process.pid, signal.SIGKILL)


class Nginx(Server):
    tools = ("nginx",)
    end_signal = signal.SIGTERM
    daemon = "off"

    def command(self):
        html = self.directory / "html"
        html.mkdir(mode=0o755)
        (html / "index.html").write_text("hello\n", encoding="utf-8")
        (self.directory / "nginx.conf").write_text(f"""\
daemon {self.daemon};
worker_processes 1;
pid {self.directory}/pid;
events {{ }}
http {{
    access_log {self.directory}/access.log;
    sendfile on;
    client_body_temp_path {self.directory}/body;
    proxy_temp_path {self.directory}/proxy;
    fastcgi_temp_path {self.directory}/fastcgi;
    uwsgi_temp_path {self.directory}/uwsgi;
    scgi_temp_path {self.directory}/scgi;
    server {{
        listen 127.0.0.1:{self.port};
        root {html};
    }}
}}
""", encoding="utf-8")
        return ["nginx", "-e", self.directory / "error.log", "-p", self.directory, "-c",
                self.directory / "nginx.conf"]

    def use(self, connection):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
        if not answer.endswith(b"\r\n\r\nhello\n"):
            raise AssertionError(f"nginx answered {answer}")
        os.kill(self.pid(), self.end_signal)

    def pid(self):
        return int((self.directory / "pid").read_text(encoding="utf-8"))

    def kill(self, process):
        super().kill(process)
        with contextlib.suppress(OSError, ValueError):
            os.killpg(self.pid(), signal.SIGKILL)


class NginxInForeground(Nginx):
    name = "nginx in the foreground"


class NginxAsDaemon(Nginx):
    name = "nginx as a daemon"
    daemon = "on"
    end_signal = signal.SIGQUIT


class Redis(Server):
    name = "redis-server"
    tools = ("redis-server",)

    def command(self):
        (self.directory / "redis.conf").write_text(
            f'bind 127.0.0.1\nport {self.port}\ndir {self.directory}\nsave ""\nappendonly yes\n',
            encoding="utf-8")
        return ["redis-server", "redis.conf"]

    def use(self, connection):
        answers = connection.makefile("rb")
        conversation = {b"SET key value": b"+OK", b"INCRBY number 7": b":7", b"SAVE": b"+OK"}
        for question, expected in conversation.items():
            connection.sendall(question + b"\r\n")
            answer = answers.readline().strip()
            if answer != expected:
                raise AssertionError(f"redis-server answered {answer} to {question}")
        connection.sendall(b"SHUTDOWN\r\n")
