"""callcensus hook and callcensus runtime, as far as they go without a container."""

import contextlib
import json
import os
import pathlib
import pwd
import signal
import subprocess

import pytest

import harness

HOOK_FAILED = 1
TRACE, OPTIONS = "io.containers.trace-syscall", "io.callcensus.options"
YAMA = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
YAMA_SCOPE = int(YAMA.read_text(encoding="ascii")) if YAMA.exists() else 0
MINIMAL_PROFILE = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": []}

# Options of the hook; {files} is a folder of the test.
LIMITS = ["--trust", "nobody", "--directory", "{files}"]
NO_LIMITS = ["--trust", "everybody"]
OF_POD = {"io.kubernetes.cri.container-type": "container"}

# The configuration of a container that asks for nothing.
PLAIN = {"ociVersion": "1.0.2", "process": {"env": ["A=1"], "args": ["ls"]}, "root": {"path": "r"}}



class HookCase(harness.Case):
    """The hook as a runtime calls it."""

    def hook(self, state, **options):
        text = state if isinstance(state, str) else json.dumps(state)
        return self.callcensus("hook", stdin=text.encode(), **options)

    def state(self, trace=None, options=None, pid=None, **more):
        annotations = {"x": "y"}
        if trace is not None:
            annotations[TRACE] = trace
        if options is not None:
            annotations[OPTIONS] = options
        return {"ociVersion": "1.0.2", "id": "c1", "status": "creating",
                "pid": self.pid_of_nobody() if pid is None else pid, "annotations": annotations, **more}

    def pid_of_nobody(self):
        """One that has just ended."""
        gone = subprocess.Popen(["true"], env=self.environment())  # pylint: disable=consider-using-with
        gone.wait()
        return gone.pid

    def output(self):
        return f"of:{self.path('p.json')}"

    def refuses(self, state, *fragments):
        before = self.files()
        self.assert_complains(self.hook(state), *fragments, status=HOOK_FAILED)
        assert self.files() == before


class TestHooked(HookCase):
    # ---- what asks for nothing

    @pytest.mark.parametrize("state", [
        {}, {"pid": 0}, {"options": "nonsense"}, {"bundle": "/nonexistent"}])
    def test_a_container_without_the_annotation_is_left_alone(self, state):
        done = self.hook(self.state(**state))
        self.assert_succeeded(done)
        assert (done.out, done.err, self.files()) == ("", "", [])

    def test_annotations_of_the_bundle_count_where_the_state_has_none(self):
        state = {"id": "c1", "pid": 1, "bundle": str(self.directory)}
        self.write("config.json", json.dumps({"annotations": {"x": "y"}}))
        self.assert_succeeded(self.hook(state))
        self.write("config.json", json.dumps({"annotations": {TRACE: "nonsense"}}))
        self.refuses(state, "invalid annotation: ")
        self.write("config.json", "{")
        self.refuses(state, "config.json:1:1: ")
        self.path("config.json").unlink()
        self.refuses(state, "config.json: cannot be opened: No such file or directory")

    # ---- what a stranger may not

    @pytest.mark.parametrize("annotations, arguments, fragments", [
        ({TRACE: "{output}"}, LIMITS, ["below {files} only"]),
        ({TRACE: "of:{files}/p.json;if:/etc/passwd"}, LIMITS, ["/etc/passwd", "below {files} only"]),
        ({TRACE: "of:{files}/p.json;if:{files}/secret"}, LIMITS, ["is no profile"]),
        ({TRACE: "of:{files}/p.json", OPTIONS: "engine:suspend"}, LIMITS, ["engine:suspend is not for a container"]),
        ({TRACE: "of:{files}/p.json", OPTIONS: "existing:replace"}, LIMITS, ["existing:replace is not for"]),
        ({TRACE: "of:{files}/p.json", OPTIONS: "engine:suspend", **OF_POD}, [], ["engine:suspend is not for"]),
        ({TRACE: "{output}", **OF_POD}, LIMITS[2:], ["below {files} only"])])
    def test_a_stranger_is_limited(self, annotations, arguments, fragments):
        files = self.path("files")
        files.mkdir()
        (files / "secret").write_text("root:x\n", encoding="utf-8")
        (files / "p.json").write_text("hello\n", encoding="utf-8")
        places = {"files": files, "output": self.output()}
        state = {**self.state(), "annotations": {name: value.format(**places) for name, value in annotations.items()}}
        done = self.callcensus("hook", *(word.format(**places) for word in arguments),
                               stdin=json.dumps(state).encode())
        self.assert_complains(done, *(fragment.format(**places) for fragment in fragments), status=HOOK_FAILED)
        assert "root:x" not in done.err
        assert "'r'" not in done.err
        assert (files / "p.json").read_text(encoding="utf-8") == "hello\n"

    # ---- what cannot be done

    @pytest.mark.parametrize("annotation, message", [
        ("of:/a;if:/b;of:/c", "more than one semi-colon"),
        ("if:relative;{output}", "input file path must be absolute"),
        ("if:{missing};{output}", "error reading input file: {missing}: cannot be opened"),
        ("if:{broken};{output}", "error parsing input file: {broken}:1:1: "),
        ("of:relative", "output file path must be absolute"),
        ("/tmp/p.json", 'must start "if:" or "of:" prefix'),
        ("", 'must start "if:" or "of:" prefix'),
        ("if:{broken}", "providing output file is mandatory")])
    def test_annotations_that_are_wrong(self, annotation, message):
        places = {"broken": self.write("broken.json", "{"), "missing": self.path("missing.json"),
                  "output": self.output()}
        self.refuses(self.state(annotation.format(**places)), "callcensus: invalid annotation: ",
                     message.format(**places))

    @pytest.mark.parametrize("options, message", {
        "enginge:ptrace": 'there is no option "enginge"; is "engine" meant?',
        "engine:bpf": "engine is one of auto, ptrace, adaptive, suspend",
        "format:systemd": "format is one of oci, docker, spo, minijail",
        "recording:r.json": "recording file path must be absolute"}.items())
    def test_options_that_are_wrong(self, options, message):
        self.refuses(self.state(self.output(), options), "invalid annotation: " + message)

    def test_control_characters_of_an_annotation_do_not_reach_the_terminal(self):
        self.refuses(self.state("of:\x1b[2J\n"), "invalid annotation: ", "\\x1b[2J")

    @pytest.mark.parametrize("text, message", {
        "": "the container's state: is empty", "{": "the container's state:1:1: ",
        "[]": "must be an object", '{"pid": "1"}': "pid must be a whole number"}.items())
    def test_states_that_are_none(self, text, message):
        self.refuses(text, message)

    @pytest.mark.parametrize("pid", [0, -1])
    def test_a_pid_that_is_none(self, pid):
        self.refuses(self.state(self.output(), pid=pid), "pid must be greater than 0")

    @pytest.mark.parametrize("engine", ["auto", "ptrace", "adaptive"])
    def test_a_process_that_does_not_exist(self, engine):
        pid = self.pid_of_nobody()
        self.refuses(self.state(self.output(), f"engine:{engine}", pid=pid), str(pid))

    def test_an_output_that_would_be_lost_or_cannot_be(self):
        self.write("p.json", "not a profile\n")
        self.refuses(self.state(self.output()), "p.json: is none of what is read", "existing:replace")
        assert self.path("p.json").read_text(encoding="utf-8") == "not a profile\n"
        self.path("p.json").unlink()
        self.refuses(self.state(f"of:{self.path('missing/p.json')}"), "its directory does not exist")
        self.refuses(self.state(f"of:{self.directory}"), "is a directory")
        self.refuses(self.state("of:/dev/null"), "is no file")
        self.write("r.json", json.dumps(MINIMAL_PROFILE))
        self.refuses(self.state(self.output(), f"recording:{self.path('r.json')}"), "r.json")

    def test_a_terminal_is_told_what_this_is(self):
        control, terminal = os.openpty()
        try:
            done = self.start([harness.PROGRAM, "hook"], stdin=terminal).end()
        finally:
            os.close(control)
            os.close(terminal)
        self.assert_complains(done, "--install", status=HOOK_FAILED)


class TestHookedAsNobody(harness.AsNobody, TestHooked):
    def test_somebody_elses_process(self):
        self.refuses(self.state(self.output(), pid=1), "1")


class TestRecorded(HookCase):
    """A process that waits for a word and then executes a program: all that a recorder sees of a container."""

    def set_up(self):
        super().set_up()
        if self.user and YAMA_SCOPE > 0:
            pytest.skip("only root may trace a process that runs already")

    def waiting(self, *command):
        process = self.start(["sh", "-c", 'read word; exec "$@"', "sh", *command], stdin=subprocess.PIPE)
        # Before that it is still on its way from root to its user.
        comm = pathlib.Path(f"/proc/{process.pid}/comm")
        harness.wait_for(lambda: comm.read_text(encoding="utf-8") == "sh\n", "the shell that waits for a word")
        return process

    def go_on(self, process):
        process.process.stdin.write(b"go\n")
        process.process.stdin.flush()

    def follow(self, process, options=None, trace=None, **more):
        done = self.hook(self.state(trace or self.output(), options, pid=process.pid, **more))
        self.assert_succeeded(done)
        assert (done.out, done.err) == ("", "")
        return int(harness.status_field(process.pid, "TracerPid"))

    def record(self, command, *arguments, **more):
        """The profile as it is in the moment when the parent hears of the end."""
        process = self.waiting(*command)
        self.follow(process, *arguments, **more)
        done = process.end(b"go\n")
        self.assert_succeeded(done)
        return self.json("p.json")

    def names(self, profile):
        return [name for rule in profile["syscalls"] if rule.get("comment", "").startswith("observed")
                for name in rule["names"]]

    def mark(self):
        return harness.python(f"import os; {harness.MARK}")

    @pytest.mark.parametrize("engine", ["auto", "adaptive", "ptrace"])
    def test_the_profile_is_there_when_the_end_is_heard_of(self, engine):
        names = self.names(self.record(self.mark(), f"engine:{engine}"))
        assert harness.MARK_NAME in names
        assert "execve" in names
        assert os.stat(self.path("p.json")).st_mode & 0o777 == 0o644
        assert self.files() == ["p.json"]
        self.path("p.json").unlink()

    def test_a_second_run_adds_what_is_new(self):
        first = self.record(["true"], f"recording:{self.path('r.json')}")
        assert harness.MARK_NAME not in self.names(first)
        before = os.stat(self.path("p.json")).st_ino
        assert self.record(["true"]) == first
        assert os.stat(self.path("p.json")).st_ino == before
        second = self.record(self.mark(), f"recording:{self.path('r.json')}")
        assert second["syscalls"][:len(first["syscalls"])] == first["syscalls"]
        assert harness.MARK_NAME in self.names(second)
        names = [name for rule in second["syscalls"] for name in rule["names"]]
        assert len(names) == len(set(names))
        assert len(self.json("r.json")["recordings"]) == 2
        replaced = self.record(["true"], "existing:replace")
        assert harness.MARK_NAME not in self.names(replaced)

    def test_what_a_baseline_names_is_not_touched(self):
        rules = [{"names": [harness.MARK_NAME], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]
        baseline = self.write("b.json", json.dumps({**MINIMAL_PROFILE, "defaultAction": "SCMP_ACT_ALLOW",
                                                    "syscalls": rules}))
        profile = self.record(self.mark(), trace=f"if:{baseline};{self.output()}")
        assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
        assert profile["syscalls"][0]["names"] == [harness.MARK_NAME]
        assert profile["syscalls"][0]["action"] == "SCMP_ACT_ERRNO"
        assert harness.MARK_NAME not in self.names(profile)

    def test_nothing_is_written_where_the_command_cannot_be_executed(self):
        process = self.waiting("/nonexistent")
        tracer = self.follow(process)
        assert process.end(b"go\n").status == 127
        harness.wait_until_gone([tracer])
        assert self.files() == []

    def test_a_recording_that_cannot_be_written_where_it_should_is_saved_elsewhere(self):
        self.path("gone").mkdir()
        self.path("safe").mkdir()
        if self.user:
            for name in ("gone", "safe"):
                os.chown(self.path(name), pwd.getpwnam(self.user).pw_uid, -1)
        process = self.waiting(*self.mark())
        state = self.state(f"of:{self.path('gone/p.json')}", pid=process.pid)
        self.assert_succeeded(self.hook(state, env=self.environment(TMPDIR=str(self.path("safe")))))
        tracer = int(harness.status_field(process.pid, "TracerPid"))
        self.path("gone").rmdir()
        self.assert_succeeded(process.end(b"go\n"))
        harness.wait_until_gone([tracer])
        saved = self.json(f"safe/callcensus-{tracer}.recording.json")
        assert harness.MARK_NAME in harness.recorded(saved)

    def test_who_is_left_running_is_followed_and_written_again(self):
        process = self.waiting("sh", "-c", '(read word < fifo; exec "$@") & echo left', "sh", *self.mark())
        os.mkfifo(self.path("fifo"), 0o666)
        os.chmod(self.path("fifo"), 0o666)
        tracer = self.follow(process, f"recording:{self.path('r.json')}")
        self.go_on(process)
        process.expect("left")
        process.process.wait(harness.DEADLINE_S)
        assert harness.MARK_NAME not in self.names(self.json("p.json"))
        self.path("fifo").write_text("go\n", encoding="utf-8")
        harness.wait_until_gone([tracer])
        assert harness.MARK_NAME in self.names(self.json("p.json"))
        assert self.json("r.json")["format"] == "callcensus-recording"  # one, not two

    def test_the_recorder_is_asked_to_end(self):
        process = self.waiting("sh", "-c", "echo here; read word; echo there")
        tracer = self.follow(process, f"engine:ptrace;recording:{self.path('r.json')}")
        self.go_on(process)
        process.expect("here")
        os.kill(tracer, signal.SIGTERM)
        harness.wait_until_gone([tracer])
        assert "execve" in self.names(self.json("p.json"))
        assert self.json("r.json")["gaps"]
        self.go_on(process)
        process.expect("there")  # and was none the worse for it
        self.assert_succeeded(process.end())

    def test_killed_outright(self):
        process = self.waiting("sh", "-c", "echo here; read word")
        self.follow(process)
        self.go_on(process)
        process.expect("here")
        process.send(signal.SIGKILL)
        assert process.end().status == -signal.SIGKILL
        assert "execve" in self.names(self.json("p.json"))

    def test_several_at_once_into_one_file(self):
        calls = {"sync": "os.sync()", "getpgid": "os.getpgid(0)", "getsid": "os.getsid(0)",
                 harness.MARK_NAME: harness.MARK}
        processes = [self.waiting(*harness.python(f"import os; {call}")) for call in calls.values()]
        for process in processes:
            self.follow(process, f"recording:{self.path('r.json')}")
        for process in processes:
            self.go_on(process)
        for process in processes:
            self.assert_succeeded(process.end())
        assert set(calls) <= set(self.names(self.json("p.json")))
        assert len(self.json("r.json")["recordings"]) == len(calls)
        assert self.files() == ["p.json", "r.json"]

    @staticmethod
    def files_of(pid):
        directory = f"/proc/{pid}/fd"
        links = set()
        for entry in os.listdir(directory):
            with contextlib.suppress(FileNotFoundError):
                links.add(os.readlink(f"{directory}/{entry}"))
        return links

    def test_nothing_of_the_caller_is_kept_open(self):
        """runc waits for the end of the hook's output, and others for other descriptors."""
        process = self.waiting("true")
        read, write = os.pipe()
        with os.fdopen(read, "rb") as reader:
            state = json.dumps(self.state(self.output(), pid=process.pid))
            done = self.start([harness.PROGRAM, "hook"], stdin=subprocess.PIPE, pass_fds=[write]).end(
                state.encode())
            os.close(write)
            self.assert_succeeded(done)
            assert reader.read() == b""  # ends only where nobody else has it
        tracer = harness.status_field(process.pid, "TracerPid")
        assert os.readlink(f"/proc/{tracer}/cwd") == "/"
        # It closes its pipe just after it has told the hook to end.
        harness.wait_for(lambda: self.files_of(tracer) == {"/dev/null"}, "the recorder to have no file open")
        self.assert_succeeded(process.end(b"go\n"))


class TestRecordedAsNobody(harness.AsNobody, TestRecorded):
    pass


class TestInstalled(harness.Case):
    def installed(self, *options):
        done = self.callcensus("hook", "--install", "--dir", str(self.path("hooks.d")), *options)
        self.assert_succeeded(done)
        return done, self.json("hooks.d/callcensus.json")

    def test_the_file_names_this_program(self):
        done, hook = self.installed()
        assert hook == {
    "version": "1.0.0",
    "hook": {"path": os.path.realpath(harness.PROGRAM), "args": ["callcensus", "hook"]},
    "when": {"annotations": {r"^io\.containers\.trace-syscall$": ".*"}},
    "stages": ["prestart"]}
        assert f"--hooks-dir {self.path('hooks.d')}" in done.err
        assert self.installed("--stage", "createRuntime")[1]["stages"] == ["createRuntime"]
        limits = ["--trust", "nobody", "--directory", "/srv"]
        assert self.installed(*limits)[1]["hook"]["args"] == ["callcensus", "hook", *limits]
        done = self.callcensus("hook", "--uninstall", "--dir", str(self.path("hooks.d")))
        self.assert_succeeded(done)
        assert "removed" in done.err
        assert os.listdir(self.path("hooks.d")) == []
        self.assert_succeeded(self.callcensus("hook", "--uninstall", "--dir", str(self.path("hooks.d"))))

    def test_the_file_works_as_registered(self):
        """Through a symbolic link, too: the path is the program's own."""
        os.symlink(harness.PROGRAM, self.path("link"))
        self.assert_succeeded(self.run_natively(str(self.path("link")), "hook", "--install", "--dir",
                                               str(self.directory)))
        hook = self.json("callcensus.json")["hook"]
        done = subprocess.run(hook["args"], executable=hook["path"], input=b'{"pid": 1, "annotations": {}}',
                              capture_output=True, check=False, env={}, timeout=harness.DEADLINE_S)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

    @pytest.mark.parametrize("content", [
        '{"version": "1.0.0", "hook": {"path": "/x", "args": ["oci-seccomp-bpf-hook", "-s"]}}', "", "nonsense"],
        ids=["hook", "empty", "nonsense"])
    def test_somebody_elses_file_stays(self, content):
        path = self.write("callcensus.json", content)
        for action in ("--install", "--uninstall"):
            self.assert_complains(self.callcensus("hook", action, "--dir", str(self.directory)),
                                  "callcensus.json", "not", "ours", status=HOOK_FAILED)
        with open(path, encoding="utf-8") as file:
            assert file.read() == content

    def test_directories_that_cannot_be(self):
        self.write("file", "")
        self.assert_complains(self.callcensus("hook", "--install", "--dir", str(self.path("file/hooks.d"))),
                              "file/hooks.d", status=HOOK_FAILED)

    @pytest.mark.parametrize("arguments", [
        ["--install", "--uninstall"], ["--stage", "prestart"], ["--dir", "/tmp"],
        ["--install", "--dir", ""], ["--trust", "me"], ["--directory", "relative"],
        ["--install", "--stage", "poststart"], ["more"]])
    def test_arguments_that_do_not_go_together(self, arguments):
        self.assert_complains(self.callcensus("hook", *arguments), status=HOOK_FAILED)


class TestInstalledAsNobody(harness.AsNobody, TestInstalled):
    def test_the_default_is_a_directory_of_ones_own(self):
        done = self.callcensus("hook", "--install", env=self.environment(XDG_CONFIG_HOME=str(self.directory)))
        self.assert_succeeded(done)
        assert "--hooks-dir" in done.err
        assert self.files() == ["containers"]
        assert self.path("containers/oci/hooks.d/callcensus.json").exists()


FAKE_RUNTIME = r"""#!/bin/sh
for argument; do printf '%s\n' "$argument"; done > arguments
env > environment
cat > input
cat <&3 > third
cp bundle/config.json seen.json 2>/dev/null
exit 7
"""


class TestRuntime(harness.Case):
    """The wrapper runtime around a script that writes down how it was called."""

    def set_up(self):
        super().set_up()
        self.runtime = self.write("fake-runc", FAKE_RUNTIME, 0o755)

    def call(self, arguments, program=(harness.PROGRAM, "runtime", "--"), **environment):
        done = self.run_natively("sh", "-c", 'exec 3<third-in; exec "$@"', "sh", *program, *arguments,
                                 stdin=b"input", env=self.environment(
                                     **{"CALLCENSUS_RUNTIME": self.runtime, **environment}))
        return done

    def passes_on(self, arguments, **options):
        self.write("third-in", "third")
        done = self.call(arguments, **options)
        assert (done.status, done.out, done.err) == (7, "", "")
        assert self.path("arguments").read_text(encoding="utf-8").splitlines() == arguments
        assert self.path("input").read_text(encoding="utf-8") == "input"
        assert self.path("third").read_text(encoding="utf-8") == "third"
        assert f"CALLCENSUS_CLI_TEST={self.directory.name}\n" in self.path("environment").read_text(encoding="utf-8")

    def bundle(self, config):
        self.path("bundle").mkdir(exist_ok=True)
        if self.user:
            who = pwd.getpwnam(self.user)
            os.chown(self.path("bundle"), who.pw_uid, who.pw_gid)
        self.write("bundle/config.json", config if isinstance(config, str) else json.dumps(config))

    @pytest.mark.parametrize("arguments", [
        ["--version"], ["--root", "/r", "state", "c1"], ["exec", "-t", "c1", "ls", "--", "-l"],
        ["create", "--bundle", "bundle", "c1"], ["run", "--bundle", "/nonexistent", "c1"], [""]])
    def test_everything_is_handed_on(self, arguments):
        self.passes_on(arguments)

    @pytest.mark.parametrize("arguments", [["--version"], ["--root", "/r", "--", "x"], []])
    def test_by_the_name_of_a_link(self, arguments):
        os.symlink(harness.PROGRAM, self.path("callcensus-runtime"))
        self.passes_on(arguments, program=[str(self.path("callcensus-runtime"))])

    def test_by_option(self):
        self.passes_on(["state", "c1"], program=[harness.PROGRAM, "runtime", "--runtime", self.runtime, "--"],
                       CALLCENSUS_RUNTIME="/nonexistent")

    def test_runc_is_found_in_the_search_path(self):
        os.symlink(self.runtime, self.path("runc"))
        self.passes_on(["state", "c1"], CALLCENSUS_RUNTIME=None,
                       PATH=f"{self.directory}:{harness.SEARCH_PATH}")

    def test_a_status_by_signal(self):
        self.write("fake-runc", "#!/bin/sh\nkill -KILL $$\n", 0o755)
        self.write("third-in", "")
        assert self.call(["state"]).status == -signal.SIGKILL

    def annotated(self):
        return {**PLAIN, "annotations": {TRACE: f"of:{self.path('p')}"}}

    @pytest.mark.parametrize("by_environment, environment, arguments", [
        (False, {"CALLCENSUS_DIRECTORY": "{directory}"}, LIMITS),
        (True, {"CALLCENSUS_DIRECTORY": "{directory}"}, LIMITS),
        (False, {"CALLCENSUS_TRUST": "annotations"}, NO_LIMITS),
        (True, {"CALLCENSUS_TRUST": "annotations", "CALLCENSUS_DIRECTORY": "{directory}"}, LIMITS),
        (True, {"CALLCENSUS_TRUST": "everybody"}, NO_LIMITS)])
    def test_a_container_that_asks_for_it_gets_the_hook(self, by_environment, environment, arguments):
        config = expected = self.annotated()
        if by_environment:
            config, expected = json.loads(json.dumps(PLAIN)), json.loads(json.dumps(expected))
            config["process"]["env"] += [f"CALLCENSUS_TRACE=of:{self.path('p')}", "B=2"]
            expected["process"]["env"] += ["B=2"]
        self.bundle(config)
        self.passes_on(["--root", "/r", "create", "--bundle", "bundle", "c1"],
                       **{name: value.format(directory=self.directory) for name, value in environment.items()})
        hook = {"path": os.path.realpath(harness.PROGRAM),
                "args": ["callcensus", "hook", *(word.format(files=self.directory) for word in arguments)]}
        assert self.json("seen.json") == {**expected, "hooks": {"prestart": [hook]}}

    def test_options_win_over_the_environment(self):
        self.bundle(self.annotated())
        self.passes_on(["create", "--bundle", "bundle", "c1"], program=[
            harness.PROGRAM, "runtime", "--trust", "annotations", "--directory", "/no", "--"])
        self.assert_complains(self.call(["create", "--bundle", "bundle", "c1"], CALLCENSUS_TRUST="all"),
                              "CALLCENSUS_TRUST", "nobody, caller, annotations, everybody", status=1)

    def test_what_is_executed_in_a_container_does_not_see_what_was_asked(self):
        self.write("fake-runc", FAKE_RUNTIME.replace("cp bundle/config.json", 'cp "${2#--process=}"'), 0o755)
        process = {"args": ["env"], "env": ["A=1", "CALLCENSUS_TRACE=of:/p", "CALLCENSUS_OPTIONS=x"], "cwd": "/"}
        file = self.write("process.json", json.dumps(process))
        self.write("third-in", "third")
        for option in ([f"--process={file}"],):
            assert self.call(["exec", *option, "c1"]).status == 7
            assert self.json("seen.json") == {**process, "env": ["A=1"]}
        assert self.json("process.json") == process  # which is the engine's
        self.write("process.json", json.dumps({**process, "env": ["A=1"]}))
        self.passes_on(["exec", "--process", file, "--detach", "c1"])

    @pytest.mark.parametrize("config", [
        {"process": {"env": ["CALLCENSUS_TRACE=of:{outside}"]}},
        {"process": {"env": ["CALLCENSUS_TRACE={inside};if:{outside}"]}},
        {"process": {"env": ["CALLCENSUS_TRACE={inside}", "CALLCENSUS_OPTIONS=recording:{outside}"]}},
        # Of a pod, by whoever may create one.
        {"annotations": {TRACE: "of:{outside}"}},
        {"annotations": {TRACE: "{inside};if:{outside}"}},
        {"annotations": {TRACE: "{inside}", OPTIONS: "recording:{outside}"}}])
    def test_an_image_cannot_choose_files_of_the_machine(self, config):
        self.write("third-in", "")
        outside = str(self.path("outside.json"))
        here = {"CALLCENSUS_DIRECTORY": str(self.directory / "files")}
        self.path("files").mkdir()
        self.bundle(json.dumps(config).replace("{outside}", outside)
                    .replace("{inside}", f"of:{self.path('files/p.json')}"))
        self.assert_complains(self.call(["create", "--bundle", "bundle", "c1"], **here), outside,
                              f"below {self.directory}/files only", "CALLCENSUS_DIRECTORY", status=1)
        # Where docker looks for the reason.
        self.call(["--log", "log.json", "--log-format=json", "create", "--bundle", "bundle", "c1"], **here)
        assert outside in self.json("log.json")["msg"]

    @pytest.mark.parametrize("named, file, told", [
        ("", "/etc/p.json", "/var/lib/callcensus"), ("relative", "/etc/p.json", "is no absolute path"),
        ("{here}", "{here}/link/p.json", "through a symbolic link")])
    def test_the_directory_of_the_environment_is_never_everything(self, named, file, told):
        self.write("third-in", "")
        self.path("link").symlink_to("/etc")
        file, named = (word.format(here=self.directory) for word in (file, named))
        self.bundle({"process": {"env": [f"CALLCENSUS_TRACE=of:{file}"]}})
        self.assert_complains(self.call(["create", "--bundle", "bundle", "c1"], CALLCENSUS_DIRECTORY=named),
                              told, status=1)

    @pytest.mark.parametrize("command, config", [
        ("create", ' {"process": {"env": ["A=1"]}}\n'), ("create", "{ nonsense"),
        ("state", json.dumps({"annotations": {TRACE: "of:/p"}}))])
    def test_a_container_that_does_not_is_left_as_it_is(self, command, config):
        self.bundle(config)
        self.passes_on([command, "--bundle", "bundle", "c1"])
        assert self.path("seen.json").read_text(encoding="utf-8") == config

    def test_no_runtime(self):
        self.write("third-in", "")
        self.assert_complains(self.call(["state"], CALLCENSUS_RUNTIME="no-such-runtime"), "no-such-runtime",
                              "--runtime", status=harness.NOT_FOUND)
        self.assert_complains(self.call(["state"], CALLCENSUS_RUNTIME=harness.PROGRAM), "itself",
                              status=harness.NOT_FOUND)
        self.write("text", "\x7fELF", 0o755)
        self.assert_complains(self.call(["state"], CALLCENSUS_RUNTIME=str(self.path("text"))),
                              "cannot be executed", status=harness.CANNOT_EXECUTE)


class TestRuntimeAsNobody(harness.AsNobody, TestRuntime):
    def test_a_bundle_of_somebody_else(self):
        """What asks to be recorded and cannot be does not run in silence."""
        self.bundle({"annotations": {TRACE: f"of:{self.path('p')}"}})
        os.chown(self.path("bundle"), 0, 0)
        self.path("bundle").chmod(0o755)
        self.write("third-in", "")
        self.assert_complains(self.call(["create", "--bundle", "bundle", "c1"],
                                       CALLCENSUS_DIRECTORY=str(self.directory)), "config.json",
                             status=HOOK_FAILED)
