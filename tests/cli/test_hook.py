#!/usr/bin/env python3
"""callcensus hook and callcensus runtime, as far as they go without a container."""

import contextlib
import json
import os
import pathlib
import pwd
import signal
import subprocess
import unittest

import harness

HOOK_FAILED = 1
TRACE, OPTIONS = "io.containers.trace-syscall", "io.callcensus.options"
YAMA = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
YAMA_SCOPE = int(YAMA.read_text(encoding="ascii")) if YAMA.exists() else 0
MINIMAL_PROFILE = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": []}


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
        self.assertComplains(self.hook(state), *fragments, status=HOOK_FAILED)
        self.assertEqual(self.files(), before)


class Hooked(HookCase):
    # ---- what asks for nothing

    def test_a_container_without_the_annotation_is_left_alone(self):
        for state in (self.state(), self.state(pid=0), self.state(options="nonsense"),
                      self.state(bundle="/nonexistent")):
            with self.subTest(state):
                done = self.hook(state)
                self.assertSucceeded(done)
                self.assertEqual((done.out, done.err, self.files()), ("", "", []))

    def test_annotations_of_the_bundle_count_where_the_state_has_none(self):
        state = {"id": "c1", "pid": 1, "bundle": str(self.directory)}
        self.write("config.json", json.dumps({"annotations": {"x": "y"}}))
        self.assertSucceeded(self.hook(state))
        self.write("config.json", json.dumps({"annotations": {TRACE: "nonsense"}}))
        self.refuses(state, "invalid annotation: ")
        self.write("config.json", "{")
        self.refuses(state, "config.json:1:1: ")
        self.path("config.json").unlink()
        self.refuses(state, "config.json: cannot be opened: No such file or directory")

    # ---- what a stranger may not

    def test_a_stranger_is_limited(self):
        files = self.path("files")
        files.mkdir()
        (files / "secret").write_text("root:x\n", encoding="utf-8")
        (files / "p.json").write_text("hello\n", encoding="utf-8")
        limits = ["--trust", "nobody", "--directory", str(files)]
        output = f"of:{files}/p.json"
        of_pod = {"io.kubernetes.cri.container-type": "container"}
        for annotations, arguments, fragments in (
                ({TRACE: self.output()}, limits, [f"below {files} only"]),
                ({TRACE: f"{output};if:/etc/passwd"}, limits, ["/etc/passwd", f"below {files} only"]),
                ({TRACE: f"{output};if:{files}/secret"}, limits, ["is no profile"]),
                ({TRACE: output, OPTIONS: "engine:suspend"}, limits, ["engine:suspend is not for a container"]),
                ({TRACE: output, OPTIONS: "existing:replace"}, limits, ["existing:replace is not for"]),
                ({TRACE: output, OPTIONS: "engine:suspend", **of_pod}, [], ["engine:suspend is not for"]),
                ({TRACE: self.output(), **of_pod}, limits[2:], [f"below {files} only"])):
            with self.subTest(annotations, arguments=arguments):
                state = {**self.state(), "annotations": annotations}
                done = self.callcensus("hook", *arguments, stdin=json.dumps(state).encode())
                self.assertComplains(done, *fragments, status=HOOK_FAILED)
                self.assertNotIn("root:x", done.err)
                self.assertNotIn("'r'", done.err)
        self.assertEqual((files / "p.json").read_text(encoding="utf-8"), "hello\n")

    # ---- what cannot be done

    def test_annotations_that_are_wrong(self):
        broken = self.write("broken.json", "{")
        missing = self.path("missing.json")
        for annotation, message in {
                "of:/a;if:/b;of:/c": "more than one semi-colon",
                f"if:relative;{self.output()}": "input file path must be absolute",
                f"if:{missing};{self.output()}": f"error reading input file: {missing}: cannot be opened",
                f"if:{broken};{self.output()}": f"error parsing input file: {broken}:1:1: ",
                "of:relative": "output file path must be absolute",
                "/tmp/p.json": 'must start "if:" or "of:" prefix',
                "": 'must start "if:" or "of:" prefix',
                f"if:{broken}": "providing output file is mandatory"}.items():
            with self.subTest(annotation):
                self.refuses(self.state(annotation), "callcensus: invalid annotation: ", message)

    def test_options_that_are_wrong(self):
        for options, message in {
                "enginge:ptrace": 'there is no option "enginge"; is "engine" meant?',
                "engine:bpf": "engine is one of auto, ptrace, adaptive, suspend",
                "format:systemd": "format is one of oci, docker, spo, minijail",
                "recording:r.json": "recording file path must be absolute"}.items():
            with self.subTest(options):
                self.refuses(self.state(self.output(), options), "invalid annotation: " + message)

    def test_control_characters_of_an_annotation_do_not_reach_the_terminal(self):
        self.refuses(self.state("of:\x1b[2J\n"), "invalid annotation: ", "\\x1b[2J")

    def test_states_that_are_none(self):
        for text, message in {"": "the container's state: is empty", "{": "the container's state:1:1: ",
                              "[]": "must be an object", '{"pid": "1"}': "pid must be a whole number"}.items():
            with self.subTest(text):
                self.refuses(text, message)

    def test_a_pid_that_is_none(self):
        for pid in (0, -1):
            with self.subTest(pid):
                self.refuses(self.state(self.output(), pid=pid), "pid must be greater than 0")

    def test_a_process_that_does_not_exist(self):
        for engine in ("auto", "ptrace", "adaptive"):
            with self.subTest(engine):
                pid = self.pid_of_nobody()
                self.refuses(self.state(self.output(), f"engine:{engine}", pid=pid), str(pid))

    def test_an_output_that_would_be_lost_or_cannot_be(self):
        self.write("p.json", "not a profile\n")
        self.refuses(self.state(self.output()), "p.json: is none of what is read", "existing:replace")
        self.assertEqual(self.path("p.json").read_text(encoding="utf-8"), "not a profile\n")
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
        self.assertComplains(done, "--install", status=HOOK_FAILED)


class HookedAsNobody(harness.AsNobody, Hooked):
    def test_somebody_elses_process(self):
        self.refuses(self.state(self.output(), pid=1), "1")


class Recorded(HookCase):
    """A process that waits for a word and then executes a program: all that a recorder sees of a container."""

    def setUp(self):
        super().setUp()
        if self.user and YAMA_SCOPE > 0:
            self.skipTest("only root may trace a process that runs already")

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
        self.assertSucceeded(done)
        self.assertEqual((done.out, done.err), ("", ""))
        return int(harness.status_field(process.pid, "TracerPid"))

    def record(self, command, *arguments, **more):
        """The profile as it is in the moment when the parent hears of the end."""
        process = self.waiting(*command)
        self.follow(process, *arguments, **more)
        done = process.end(b"go\n")
        self.assertSucceeded(done)
        return self.json("p.json")

    def names(self, profile):
        return [name for rule in profile["syscalls"] if rule.get("comment", "").startswith("observed")
                for name in rule["names"]]

    def mark(self):
        return harness.python(f"import os; {harness.MARK}")

    def test_the_profile_is_there_when_the_end_is_heard_of(self):
        for engine in ("auto", "adaptive", "ptrace"):
            with self.subTest(engine):
                names = self.names(self.record(self.mark(), f"engine:{engine}"))
                self.assertIn(harness.MARK_NAME, names)
                self.assertIn("execve", names)
                self.assertEqual(os.stat(self.path("p.json")).st_mode & 0o777, 0o644)
                self.assertEqual(self.files(), ["p.json"])
                self.path("p.json").unlink()

    def test_a_second_run_adds_what_is_new(self):
        first = self.record(["true"], f"recording:{self.path('r.json')}")
        self.assertNotIn(harness.MARK_NAME, self.names(first))
        before = os.stat(self.path("p.json")).st_ino
        self.assertEqual(self.record(["true"]), first)
        self.assertEqual(os.stat(self.path("p.json")).st_ino, before)
        second = self.record(self.mark(), f"recording:{self.path('r.json')}")
        self.assertEqual(second["syscalls"][:len(first["syscalls"])], first["syscalls"])
        self.assertIn(harness.MARK_NAME, self.names(second))
        names = [name for rule in second["syscalls"] for name in rule["names"]]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(self.json("r.json")["recordings"]), 2)
        replaced = self.record(["true"], "existing:replace")
        self.assertNotIn(harness.MARK_NAME, self.names(replaced))

    def test_what_a_baseline_names_is_not_touched(self):
        rules = [{"names": [harness.MARK_NAME], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]
        baseline = self.write("b.json", json.dumps({**MINIMAL_PROFILE, "defaultAction": "SCMP_ACT_ALLOW",
                                                    "syscalls": rules}))
        profile = self.record(self.mark(), trace=f"if:{baseline};{self.output()}")
        self.assertEqual(profile["defaultAction"], "SCMP_ACT_ERRNO")
        self.assertEqual(profile["syscalls"][0]["names"], [harness.MARK_NAME])
        self.assertEqual(profile["syscalls"][0]["action"], "SCMP_ACT_ERRNO")
        self.assertNotIn(harness.MARK_NAME, self.names(profile))

    def test_nothing_is_written_where_the_command_cannot_be_executed(self):
        process = self.waiting("/nonexistent")
        tracer = self.follow(process)
        self.assertEqual(process.end(b"go\n").status, 127)
        harness.wait_until_gone([tracer])
        self.assertEqual(self.files(), [])

    def test_a_recording_that_cannot_be_written_where_it_should_is_saved_elsewhere(self):
        self.path("gone").mkdir()
        self.path("safe").mkdir()
        if self.user:
            for name in ("gone", "safe"):
                os.chown(self.path(name), pwd.getpwnam(self.user).pw_uid, -1)
        process = self.waiting(*self.mark())
        state = self.state(f"of:{self.path('gone/p.json')}", pid=process.pid)
        self.assertSucceeded(self.hook(state, env=self.environment(TMPDIR=str(self.path("safe")))))
        tracer = int(harness.status_field(process.pid, "TracerPid"))
        self.path("gone").rmdir()
        self.assertSucceeded(process.end(b"go\n"))
        harness.wait_until_gone([tracer])
        saved = self.json(f"safe/callcensus-{tracer}.recording.json")
        self.assertIn(harness.MARK_NAME, harness.recorded(saved))

    def test_who_is_left_running_is_followed_and_written_again(self):
        process = self.waiting("sh", "-c", '(read word < fifo; exec "$@") & echo left', "sh", *self.mark())
        os.mkfifo(self.path("fifo"), 0o666)
        os.chmod(self.path("fifo"), 0o666)
        tracer = self.follow(process, f"recording:{self.path('r.json')}")
        self.go_on(process)
        process.expect("left")
        process.process.wait(harness.DEADLINE_S)
        self.assertNotIn(harness.MARK_NAME, self.names(self.json("p.json")))
        self.path("fifo").write_text("go\n", encoding="utf-8")
        harness.wait_until_gone([tracer])
        self.assertIn(harness.MARK_NAME, self.names(self.json("p.json")))
        self.assertEqual(self.json("r.json")["format"], "callcensus-recording")  # one, not two

    def test_the_recorder_is_asked_to_end(self):
        process = self.waiting("sh", "-c", "echo here; read word; echo there")
        tracer = self.follow(process, f"engine:ptrace;recording:{self.path('r.json')}")
        self.go_on(process)
        process.expect("here")
        os.kill(tracer, signal.SIGTERM)
        harness.wait_until_gone([tracer])
        self.assertIn("execve", self.names(self.json("p.json")))
        self.assertTrue(self.json("r.json")["gaps"])
        self.go_on(process)
        process.expect("there")  # and was none the worse for it
        self.assertSucceeded(process.end())

    def test_killed_outright(self):
        process = self.waiting("sh", "-c", "echo here; read word")
        self.follow(process)
        self.go_on(process)
        process.expect("here")
        process.send(signal.SIGKILL)
        self.assertEqual(process.end().status, -signal.SIGKILL)
        self.assertIn("execve", self.names(self.json("p.json")))

    def test_several_at_once_into_one_file(self):
        calls = {"sync": "os.sync()", "getpgid": "os.getpgid(0)", "getsid": "os.getsid(0)",
                 harness.MARK_NAME: harness.MARK}
        processes = [self.waiting(*harness.python(f"import os; {call}")) for call in calls.values()]
        for process in processes:
            self.follow(process, f"recording:{self.path('r.json')}")
        for process in processes:
            self.go_on(process)
        for process in processes:
            self.assertSucceeded(process.end())
        self.assertLessEqual(set(calls), set(self.names(self.json("p.json"))))
        self.assertEqual(len(self.json("r.json")["recordings"]), len(calls))
        self.assertEqual(self.files(), ["p.json", "r.json"])

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
            self.assertSucceeded(done)
            self.assertEqual(reader.read(), b"")  # ends only where nobody else has it
        tracer = harness.status_field(process.pid, "TracerPid")
        self.assertEqual(os.readlink(f"/proc/{tracer}/cwd"), "/")
        # It closes its pipe just after it has told the hook to end.
        harness.wait_for(lambda: self.files_of(tracer) == {"/dev/null"}, "the recorder to have no file open")
        self.assertSucceeded(process.end(b"go\n"))


class RecordedAsNobody(harness.AsNobody, Recorded):
    pass


class Installed(harness.Case):
    def installed(self, *options):
        done = self.callcensus("hook", "--install", "--dir", str(self.path("hooks.d")), *options)
        self.assertSucceeded(done)
        return done, self.json("hooks.d/callcensus.json")

    def test_the_file_names_this_program(self):
        done, hook = self.installed()
        self.assertEqual(hook, {
            "version": "1.0.0",
            "hook": {"path": os.path.realpath(harness.PROGRAM), "args": ["callcensus", "hook"]},
            "when": {"annotations": {r"^io\.containers\.trace-syscall$": ".*"}},
            "stages": ["prestart"]})
        self.assertIn(f"--hooks-dir {self.path('hooks.d')}", done.err)
        self.assertEqual(self.installed("--stage", "createRuntime")[1]["stages"], ["createRuntime"])
        limits = ["--trust", "nobody", "--directory", "/srv"]
        self.assertEqual(self.installed(*limits)[1]["hook"]["args"], ["callcensus", "hook", *limits])
        done = self.callcensus("hook", "--uninstall", "--dir", str(self.path("hooks.d")))
        self.assertSucceeded(done)
        self.assertIn("removed", done.err)
        self.assertEqual(os.listdir(self.path("hooks.d")), [])
        self.assertSucceeded(self.callcensus("hook", "--uninstall", "--dir", str(self.path("hooks.d"))))

    def test_the_file_works_as_registered(self):
        """Through a symbolic link, too: the path is the program's own."""
        os.symlink(harness.PROGRAM, self.path("link"))
        self.assertSucceeded(self.run_natively(str(self.path("link")), "hook", "--install", "--dir",
                                               str(self.directory)))
        hook = self.json("callcensus.json")["hook"]
        done = subprocess.run(hook["args"], executable=hook["path"], input=b'{"pid": 1, "annotations": {}}',
                              capture_output=True, check=False, env={}, timeout=harness.DEADLINE_S)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_somebody_elses_file_stays(self):
        theirs = '{"version": "1.0.0", "hook": {"path": "/x", "args": ["oci-seccomp-bpf-hook", "-s"]}}'
        for content in (theirs, "", "nonsense"):
            with self.subTest(content):
                path = self.write("callcensus.json", content)
                for action in ("--install", "--uninstall"):
                    self.assertComplains(self.callcensus("hook", action, "--dir", str(self.directory)),
                                         "callcensus.json", "not", "ours", status=HOOK_FAILED)
                with open(path, encoding="utf-8") as file:
                    self.assertEqual(file.read(), content)

    def test_directories_that_cannot_be(self):
        self.write("file", "")
        self.assertComplains(self.callcensus("hook", "--install", "--dir", str(self.path("file/hooks.d"))),
                             "file/hooks.d", status=HOOK_FAILED)

    def test_arguments_that_do_not_go_together(self):
        for arguments in (["--install", "--uninstall"], ["--stage", "prestart"], ["--dir", "/tmp"],
                          ["--install", "--dir", ""], ["--trust", "me"], ["--directory", "relative"],
                          ["--install", "--stage", "poststart"], ["more"]):
            with self.subTest(arguments):
                self.assertComplains(self.callcensus("hook", *arguments), status=HOOK_FAILED)


class InstalledAsNobody(harness.AsNobody, Installed):
    def test_the_default_is_a_directory_of_ones_own(self):
        done = self.callcensus("hook", "--install", env=self.environment(XDG_CONFIG_HOME=str(self.directory)))
        self.assertSucceeded(done)
        self.assertIn("--hooks-dir", done.err)
        self.assertEqual(self.files(), ["containers"])
        self.assertTrue(self.path("containers/oci/hooks.d/callcensus.json").exists())


FAKE_RUNTIME = r"""#!/bin/sh
for argument; do printf '%s\n' "$argument"; done > arguments
env > environment
cat > input
cat <&3 > third
cp bundle/config.json seen.json 2>/dev/null
exit 7
"""


class Runtime(harness.Case):
    """The wrapper runtime around a script that writes down how it was called."""

    def setUp(self):
        super().setUp()
        self.runtime = self.write("fake-runc", FAKE_RUNTIME, 0o755)

    def call(self, arguments, program=(harness.PROGRAM, "runtime", "--"), **environment):
        done = self.run_natively("sh", "-c", 'exec 3<third-in; exec "$@"', "sh", *program, *arguments,
                                 stdin=b"input", env=self.environment(
                                     **{"CALLCENSUS_RUNTIME": self.runtime, **environment}))
        return done

    def passes_on(self, arguments, **options):
        self.write("third-in", "third")
        done = self.call(arguments, **options)
        self.assertEqual((done.status, done.out, done.err), (7, "", ""))
        self.assertEqual(self.path("arguments").read_text(encoding="utf-8").splitlines(), arguments)
        self.assertEqual(self.path("input").read_text(encoding="utf-8"), "input")
        self.assertEqual(self.path("third").read_text(encoding="utf-8"), "third")
        self.assertIn(f"CALLCENSUS_CLI_TEST={self.directory.name}\n",
                      self.path("environment").read_text(encoding="utf-8"))

    def bundle(self, config):
        self.path("bundle").mkdir(exist_ok=True)
        if self.user:
            who = pwd.getpwnam(self.user)
            os.chown(self.path("bundle"), who.pw_uid, who.pw_gid)
        self.write("bundle/config.json", config if isinstance(config, str) else json.dumps(config))

    def test_everything_is_handed_on(self):
        for arguments in (["--version"], ["--root", "/r", "state", "c1"], ["exec", "-t", "c1", "ls", "--", "-l"],
                          ["create", "--bundle", "bundle", "c1"], ["run", "--bundle", "/nonexistent", "c1"], [""]):
            with self.subTest(arguments):
                self.passes_on(arguments)

    def test_by_the_name_of_a_link(self):
        os.symlink(harness.PROGRAM, self.path("callcensus-runtime"))
        for arguments in (["--version"], ["--root", "/r", "--", "x"], []):
            with self.subTest(arguments):
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
        self.assertEqual(self.call(["state"]).status, -signal.SIGKILL)

    def test_a_container_that_asks_for_it_gets_the_hook(self):
        plain = {"ociVersion": "1.0.2", "process": {"env": ["A=1"], "args": ["ls"]}, "root": {"path": "r"}}
        asked = f"of:{self.path('p')}"
        annotated = {**plain, "annotations": {TRACE: asked}}
        by_environment = json.loads(json.dumps(plain))
        by_environment["process"]["env"] += [f"CALLCENSUS_TRACE={asked}", "B=2"]
        here = {"CALLCENSUS_DIRECTORY": str(self.directory)}
        limits = ["--trust", "nobody", "--directory", str(self.directory)]
        no_limits = ["--trust", "everybody"]
        expected_by_environment = json.loads(json.dumps(annotated))
        expected_by_environment["process"]["env"] += ["B=2"]
        for config, expected, environment, arguments in (
                (annotated, annotated, here, limits),
                (by_environment, expected_by_environment, here, limits),
                (annotated, annotated, {"CALLCENSUS_TRUST": "annotations"}, no_limits),
                (by_environment, expected_by_environment, {"CALLCENSUS_TRUST": "annotations", **here}, limits),
                (by_environment, expected_by_environment, {"CALLCENSUS_TRUST": "everybody"}, no_limits)):
            with self.subTest(config, environment=environment):
                self.bundle(config)
                self.passes_on(["--root", "/r", "create", "--bundle", "bundle", "c1"], **environment)
                hook = {"path": os.path.realpath(harness.PROGRAM), "args": ["callcensus", "hook", *arguments]}
                self.assertEqual(self.json("seen.json"), {**expected, "hooks": {"prestart": [hook]}})
        self.bundle(annotated)
        self.passes_on(["create", "--bundle", "bundle", "c1"], program=[
            harness.PROGRAM, "runtime", "--trust", "annotations", "--directory", "/no", "--"])
        self.assertComplains(self.call(["create", "--bundle", "bundle", "c1"], CALLCENSUS_TRUST="all"),
                             "CALLCENSUS_TRUST", "nobody, caller, annotations, everybody", status=1)

    def test_what_is_executed_in_a_container_does_not_see_what_was_asked(self):
        self.write("fake-runc", FAKE_RUNTIME.replace("cp bundle/config.json", 'cp "${2#--process=}"'), 0o755)
        process = {"args": ["env"], "env": ["A=1", "CALLCENSUS_TRACE=of:/p", "CALLCENSUS_OPTIONS=x"], "cwd": "/"}
        file = self.write("process.json", json.dumps(process))
        self.write("third-in", "third")
        for option in ([f"--process={file}"],):
            self.assertEqual(self.call(["exec", *option, "c1"]).status, 7)
            self.assertEqual(self.json("seen.json"), {**process, "env": ["A=1"]})
        self.assertEqual(self.json("process.json"), process)  # which is the engine's
        self.write("process.json", json.dumps({**process, "env": ["A=1"]}))
        self.passes_on(["exec", "--process", file, "--detach", "c1"])

    def test_an_image_cannot_choose_files_of_the_machine(self):
        self.write("third-in", "")
        outside = str(self.path("outside.json"))
        here = {"CALLCENSUS_DIRECTORY": str(self.directory / "files")}
        inside = f"of:{self.path('files/p.json')}"
        for config in ({"process": {"env": [f"CALLCENSUS_TRACE=of:{outside}"]}},
                       {"process": {"env": [f"CALLCENSUS_TRACE={inside};if:{outside}"]}},
                       {"process": {"env": [f"CALLCENSUS_TRACE={inside}",
                                            f"CALLCENSUS_OPTIONS=recording:{outside}"]}},
                       # Of a pod, by whoever may create one.
                       {"annotations": {TRACE: f"of:{outside}"}},
                       {"annotations": {TRACE: f"{inside};if:{outside}"}},
                       {"annotations": {TRACE: inside, OPTIONS: f"recording:{outside}"}}):
            with self.subTest(config):
                self.path("files").mkdir(exist_ok=True)
                self.bundle(config)
                self.assertComplains(self.call(["create", "--bundle", "bundle", "c1"], **here), outside,
                                     f"below {self.directory}/files only", "CALLCENSUS_DIRECTORY", status=1)
                # Where docker looks for the reason.
                self.call(["--log", "log.json", "--log-format=json", "create", "--bundle", "bundle", "c1"], **here)
                self.assertIn(outside, self.json("log.json")["msg"])
                self.path("log.json").unlink()

    def test_the_directory_of_the_environment_is_never_everything(self):
        self.write("third-in", "")
        self.path("link").symlink_to("/etc")
        here = str(self.directory)
        for directory, file, told in (("", "/etc/p.json", "/var/lib/callcensus"),
                                      ("relative", "/etc/p.json", "is no absolute path"),
                                      (here, f"{here}/link/p.json", "through a symbolic link")):
            with self.subTest(directory):
                self.bundle({"process": {"env": [f"CALLCENSUS_TRACE=of:{file}"]}})
                self.assertComplains(
                    self.call(["create", "--bundle", "bundle", "c1"], CALLCENSUS_DIRECTORY=directory),
                    told, status=1)

    def test_a_container_that_does_not_is_left_as_it_is(self):
        for command, config in (("create", ' {"process": {"env": ["A=1"]}}\n'), ("create", "{ nonsense"),
                                ("state", json.dumps({"annotations": {TRACE: "of:/p"}}))):
            with self.subTest(config):
                self.bundle(config)
                self.passes_on([command, "--bundle", "bundle", "c1"])
                self.assertEqual(self.path("seen.json").read_text(encoding="utf-8"), config)

    def test_no_runtime(self):
        self.write("third-in", "")
        self.assertComplains(self.call(["state"], CALLCENSUS_RUNTIME="no-such-runtime"), "no-such-runtime",
                             "--runtime", status=harness.NOT_FOUND)
        self.assertComplains(self.call(["state"], CALLCENSUS_RUNTIME=harness.PROGRAM), "itself",
                             status=harness.NOT_FOUND)
        self.write("text", "\x7fELF", 0o755)
        self.assertComplains(self.call(["state"], CALLCENSUS_RUNTIME=str(self.path("text"))),
                             "cannot be executed", status=harness.CANNOT_EXECUTE)


class RuntimeAsNobody(harness.AsNobody, Runtime):
    def test_a_bundle_of_somebody_else(self):
        """What asks to be recorded and cannot be does not run in silence."""
        self.bundle({"annotations": {TRACE: f"of:{self.path('p')}"}})
        os.chown(self.path("bundle"), 0, 0)
        self.path("bundle").chmod(0o755)
        self.write("third-in", "")
        self.assertComplains(self.call(["create", "--bundle", "bundle", "c1"],
                                       CALLCENSUS_DIRECTORY=str(self.directory)), "config.json",
                             status=HOOK_FAILED)


if __name__ == "__main__":
    harness.main()
