"""The exit status: the target's own, and 125, 126 and 127 where there is none."""

import os
import resource
import signal
import stat

import pytest

import harness
from harness import CANNOT_EXECUTE, FAILED, NOT_FOUND

# What a program ignores by default.
HARMLESS = (signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)



class TestStatuses(harness.Case):
    """How the target ended is how callcensus ends."""

    codes = range(256)

    def test_every_exit_code(self):
        for code in self.codes:
            done = self.trace("-q", "-o", "p.json", "--", "sh", "-c", f"exit {code}")
            assert (done.status, done.out, done.err) == (code, "", "")

    def test_exit_code_is_cut_to_eight_bits_as_natively(self):
        for code in (256, 257, -1):
            target = harness.python(f"import os; os._exit({code})")
            assert self.trace("-q", *target).status == self.run_natively(*target).status

    # Those that stop the target are not among them.
    @pytest.mark.parametrize("signum", sorted(set(range(1, 65)) - {
        signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}))
    def test_every_signal_that_kills(self, signum):
        # No core file of the target's own, so that one would be ours.
        target = ["sh", "-c", f"ulimit -c 0; kill -{signum} $$; exit 3"]
        native = self.run_natively(*target)
        traced = self.trace("-q", "-o", "p.json", "--", *target)
        assert (traced.status, traced.out, traced.err) == (native.status, "", "")
        # All but these kill.
        assert (native.status == -signum) == (signum not in HARMLESS)
        if native.status == -signum:
            assert self.json("p.json")["defaultAction"] == "SCMP_ACT_ERRNO"

    def test_no_core_file_of_ours(self):
        def ends_with_a_core(*command):
            def allow_cores():
                resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            process = self.start(command, preexec_fn=allow_cores).process
            _, status = os.waitpid(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == -signal.SIGSEGV
            return os.WCOREDUMP(status)

        die = "kill -SEGV $$"
        if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
            pytest.skip("core files are forbidden here")
        if not ends_with_a_core("sh", "-c", die):
            pytest.skip("no core files are written here")
        for name in self.files():
            self.path(name).unlink()
        assert not ends_with_a_core(harness.PROGRAM, "trace", "-q", "-o", "p.json", "--",
                                    "sh", "-c", f"ulimit -c 0; {die}")
        assert self.files() == ["p.json"]

    def test_death_by_a_signal_that_we_inherited_ignored_and_blocked(self):
        def ignore_and_block():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])

        target = harness.python(
            "import os, signal\n"
            "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
            "signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])\n"
            "os.kill(os.getpid(), signal.SIGTERM)")
        done = self.trace("-q", "--", *target, preexec_fn=ignore_and_block)
        assert done.status == -signal.SIGTERM

    def test_status_of_the_first_process_not_of_the_last(self):
        # The daemon ends after the first process, with another status.
        os.mkfifo(self.path("go"), 0o666)
        os.chmod(self.path("go"), 0o666)
        running = self.start_trace("-q", "--", "sh", "-c", "(read x <go; exit 9) >/dev/null 2>&1 & exit 4")
        with open(self.path("go"), "w", encoding="ascii") as go:
            go.write("\n")
        assert running.end().status == 4


class TestStatusesAsNobody(harness.AsNobody, TestStatuses):
    codes = (0, 1, 2, 124, 125, 126, 127, 128, 129, 254, 255)


class TestNotStarted(harness.Case):
    """A command that cannot be executed leaves no profile, and an earlier one as it was."""

    def assert_not_started(self, command, status, *fragments, search_path=None):
        env = self.environment(PATH=search_path) if search_path is not None else None
        # As env(1) has it, so that the statuses are what scripts expect.
        native = self.run_natively("/usr/bin/env", "--", command, env=env)
        assert native.status == status, "the test expects something that env does not"

        before = self.files()
        done = self.trace("-o", "p.json", "--recording", "r.json", "--", command, env=env)
        self.assert_complains(done, f"callcensus: {command}: ", *fragments, status=status)
        assert self.files() == before

        earlier = self.write("earlier.json", "what was there before")
        done = self.trace("-o", earlier, "--recording", earlier + ".recording", "--", command, env=env)
        assert done.status == status
        assert self.path("earlier.json").read_text(encoding="ascii") == "what was there before"
        self.path("earlier.json").unlink()
        assert self.files() == before

    def test_unknown_command(self):
        self.assert_not_started("there-is-no-such-command", NOT_FOUND, "not found")

    def test_unknown_file(self):
        self.assert_not_started("./nothing/here", NOT_FOUND, "no such file")
        self.assert_not_started("/nonexistent", NOT_FOUND, "no such file")

    def test_dangling_link(self):
        self.path("link").symlink_to("nowhere")
        self.assert_not_started("./link", NOT_FOUND)

    def test_link_to_itself(self):
        self.path("loop").symlink_to("loop")
        self.assert_not_started("./loop", CANNOT_EXECUTE, "oo many levels of symbolic links")

    def test_missing_interpreter(self):
        self.write("script", "#!/nonexistent/interpreter\n", 0o755)
        self.assert_not_started("./script", NOT_FOUND, "interpreter")

    def test_directory(self):
        self.path("folder").mkdir()
        self.assert_not_started("./folder", CANNOT_EXECUTE, "directory")
        self.assert_not_started("/", CANNOT_EXECUTE, "directory")

    def test_file_as_a_directory(self):
        self.write("file", "", 0o755)
        self.assert_not_started("./file/inside", CANNOT_EXECUTE, "Not a directory")

    def test_not_executable(self):
        self.write("plain", "echo never\n", 0o644)
        self.assert_not_started("./plain", CANNOT_EXECUTE, "Permission denied")

    def test_not_executable_in_the_search_path(self):
        self.path("bin").mkdir()
        self.write("bin/plain", "echo never\n", 0o644)
        self.assert_not_started("plain", CANNOT_EXECUTE, "Permission denied",
                                search_path=str(self.path("bin")))

    def test_binary_of_another_kind(self):
        for name, content in (("garbage", b"\x01\x02\x00\x03 not a program"),
                              ("cut-elf", b"\x7fELF\x02\x01\x01\x00"),
                              ("zeros", bytes(4096))):
            self.write(name, content, 0o755)
            # env(1) hands these to sh, which refuses them with the same status but under its own name.
            done = self.trace("-o", "p.json", "--", f"./{name}")
            self.assert_complains(done, f"callcensus: ./{name}: ", "neither a program for this machine",
                                  status=CANNOT_EXECUTE)
            assert not self.path("p.json").exists()

    def test_file_that_is_being_written(self):
        path = self.write("busy", "", 0o755)
        with open(path, "r+b"):
            done = self.trace("-o", "p.json", "--", "./busy")
        # From Linux 6.11 on until it was taken back in 6.13 this was allowed; what must not happen is a hang.
        assert done.status in (0, CANNOT_EXECUTE)
        if done.status == CANNOT_EXECUTE:
            self.assert_complains(done, "Text file busy", status=CANNOT_EXECUTE)
            assert not self.path("p.json").exists()

    def test_empty_command(self):
        self.assert_complains(self.trace("-o", "p.json", "--", ""), status=NOT_FOUND)
        assert self.files() == []

    def test_name_that_a_terminal_would_obey(self):
        done = self.trace("-o", "p.json", "--", "two\nlines and \x1b[31mred")
        self.assert_complains(done, "two", status=NOT_FOUND)


class TestNotStartedAsNobody(harness.AsNobody, TestNotStarted):
    def test_file_of_somebody_else(self):
        path = self.write("private", "#!/bin/sh\n")
        os.chown(path, 0, 0)
        os.chmod(path, 0o700)
        self.assert_not_started("./private", CANNOT_EXECUTE, "Permission denied")

    def test_folder_of_somebody_else(self):
        self.path("closed").mkdir()
        self.write("closed/program", "#!/bin/sh\n", 0o755)
        os.chmod(self.path("closed"), 0o700)
        self.assert_not_started("./closed/program", CANNOT_EXECUTE, "Permission denied")


class TestScripts(harness.Case):
    """What has no #! is run by sh, as shells and execvp(3) do."""

    def test_script_without_interpreter_line(self):
        self.write("script", 'echo "$0" "$@"\nexit 7\n', 0o755)
        native = self.run_natively("/usr/bin/env", "./script", "a b", "", "--", "-o")
        traced = self.trace("-q", "-o", "p.json", "./script", "a b", "", "--", "-o")
        assert (traced.status, traced.out, traced.err) == (7, native.out, "")
        assert "execve" in harness.observed(self.json("p.json"))

    def test_script_without_interpreter_line_from_the_search_path(self):
        self.path("bin").mkdir()
        self.write("bin/script", "echo from the search path\n", 0o755)
        env = self.environment(PATH=f"{self.path('bin')}:/usr/bin:/bin")
        done = self.trace("-q", "-o", "p.json", "script", env=env)
        assert (done.status, done.out) == (0, "from the search path\n")

    def test_empty_file(self):
        self.write("empty", "", 0o755)
        assert self.trace("-q", "-o", "p.json", "./empty").status == 0

    def test_script_with_interpreter_line(self):
        self.write("script", "#!/bin/sh -e\necho \"$@\"; false; echo never\n", 0o755)
        done = self.trace("-q", "-o", "p.json", "./script", "x")
        assert (done.status, done.out, done.err) == (1, "x\n", "")


class TestScriptsAsNobody(harness.AsNobody, TestScripts):
    pass


class TestUsage(harness.Case):
    """Our own failures are 125, one line, and the target does not run."""

    def assert_refused(self, *arguments, fragments=()):
        done = self.callcensus(*arguments)
        self.assert_complains(done, *fragments, status=FAILED)
        assert self.files() == []

    def test_no_subcommand(self):
        self.assert_refused(fragments=["callcensus --help"])

    def test_unknown_subcommand(self):
        self.assert_refused("observe", "--", "touch", "ran", fragments=["observe"])

    def test_no_command(self):
        for arguments in (["trace"], ["trace", "-q"], ["trace", "--"], ["trace", "-o", "p.json", "--"]):
            self.assert_refused(*arguments, fragments=["no command"])

    def test_unknown_option(self):
        for option in ("--frobnicate", "--frobnicate=3", "-Z", "--outputs=x"):
            self.assert_refused("trace", option, "--", "touch", "ran", fragments=["trace --help"])
            self.assert_refused("derive", option, "r.json", fragments=["derive --help"])
        self.assert_refused("--frobnicate", fragments=["callcensus --help"])

    def test_option_without_its_value(self):
        for option in ("-o", "--output", "--recording", "--engine", "--timeout", "--baseline", "--runtime"):
            self.assert_refused("trace", option, fragments=["trace --help"])

    def test_unknown_engine(self):
        self.assert_refused("trace", "--engine", "hearsay", "--", "touch", "ran",
                            fragments=["hearsay", "ptrace"])

    def test_unknown_runtime(self):
        self.assert_refused("trace", "--runtime", "lxc", "--", "touch", "ran",
                            fragments=["lxc", "runc", "crun"])

    def test_bad_durations(self):
        for duration in ("soon", "", "-1s", "0", "1 fortnight", "10S", "1e400", "nan", "inf", "99999999999h",
                         "1s2"):
            self.assert_refused("trace", f"--timeout={duration}", "--", "touch", "ran",
                                fragments=["--timeout"])

    def test_kill_after_needs_a_timeout(self):
        self.assert_refused("trace", "--kill-after", "1s", "--", "touch", "ran", fragments=["--timeout"])

    def test_bad_actions(self):
        for action in ("allow", "SCMP_ACT_ALLOW", "log", "notify", "explode", ""):
            self.assert_refused("trace", f"--default-action={action}", "--", "touch", "ran",
                                fragments=["--default-action"])

    def test_bad_errnos(self):
        for errno in ("ENOTHING", "0", "-1", "4096", "99999999999999999999", "1x", "enosys", "", "E"):
            self.assert_refused("trace", f"--default-errno={errno}", "--", "touch", "ran",
                                fragments=["--default-errno"])

    def test_errno_without_effect(self):
        self.assert_refused("trace", "--default-action=kill", "--default-errno=EPERM", "--", "touch", "ran",
                            fragments=["--default-errno", "no effect"])

    def test_derive_without_recordings(self):
        self.assert_refused("derive", fragments=["RECORDING"])


class TestUsageAsNobody(harness.AsNobody, TestUsage):
    pass


class TestPrivileges(harness.Case):
    """What the target gets to know of us."""

    def test_mode_creation_mask_of_the_target(self):
        for mask in (0o000, 0o022, 0o077):
            done = self.trace("-q", "-o", "p.json", "--", "sh", "-c", "umask; : >made", umask=mask)
            assert int(done.out, 8) == mask
            assert stat.S_IMODE(self.path("made").stat().st_mode) == 0o666 & ~mask
            self.path("made").unlink()

    def test_no_descriptor_of_ours_reaches_the_target(self):
        list_descriptors = harness.python("import os; print(sorted(os.listdir('/proc/self/fd')))")
        assert (self.trace("-q", "--recording", "r.json", *list_descriptors).out ==
                self.run_natively(*list_descriptors).out)


class TestPrivilegesAsNobody(harness.AsNobody, TestPrivileges):
    pass
