"""Which arguments are ours and which are the target's, and what the target gets to see of its own."""

import os
import re

import pytest

import harness
from harness import NOT_FOUND


class TestWhoseOption(harness.Case):
    """Options end at `--` or at the command; whatever follows is the target's."""

    def arguments_of_target(self, *ours, target=(), profile="seccomp.json"):
        """What a target gets to see behind its name when started with `ours` and these arguments. The profile
        must be where it should be, and nothing else be left."""
        script = self.write("target", '#!/bin/sh\nfor argument; do echo "<$argument>"; done\n', 0o755)
        done = self.trace(*ours, script, *target)
        self.assert_succeeded(done)
        assert self.files() == sorted(["target", profile])
        assert "execve" in harness.observed(self.json(profile))
        self.path(profile).unlink()
        return re.findall(r"^<(.*)>$", done.out, re.MULTILINE), done

    def test_options_behind_the_command_belong_to_it(self):
        seen, _ = self.arguments_of_target(target=["-o", "y"])
        assert seen == ["-o", "y"]
        seen, done = self.arguments_of_target("-o", "p", "-q",
                                              target=["-l", "-q", "--json", "--help", "--version"],
                                              profile="p")
        assert seen == ["-l", "-q", "--json", "--help", "--version"]
        assert done.err == ""

    def test_the_same_with_ls(self):
        self.write("y", "")
        native = self.run_natively("ls", "-o", "y")
        traced = self.trace("ls", "-o", "y")
        assert (traced.status, traced.out) == (0, native.out)
        assert self.files() == ["seccomp.json", "y"]
        assert self.path("y").read_text(encoding="ascii") == ""

    def test_separator(self):
        seen, _ = self.arguments_of_target("--", target=["-o", "y", "--", "z"])
        assert seen == ["-o", "y", "--", "z"]
        seen, _ = self.arguments_of_target("-q", "--", target=["--"])
        assert seen == ["--"]

    def test_arguments_that_look_like_nothing(self):
        odd = ["", "-", "--", "---", " ", "a b", "*", "$HOME", "\t", "=", "--=", "-o=", "\\", "'", '"',
               "ümlaut"]
        seen, _ = self.arguments_of_target("--", target=odd)
        assert seen == odd
        seen, _ = self.arguments_of_target(target=odd)
        assert seen == odd

    def test_a_newline_and_bytes_that_are_no_text(self):
        odd = [b"two\nlines", b"\xff\xfe\x80", b"\xc3"]
        show = harness.python("import os, sys; print([os.fsencode(a) for a in sys.argv[1:]])")
        done = self.trace("-q", "--recording", "r.json", *show, *odd)
        assert done.out == f"{odd}\n"
        assert self.json("r.json")["command"][-3:] == ["two\nlines", "\ufffd" * 3, "\ufffd"]

    def test_many_and_long_arguments(self):
        count = harness.python("import sys; print(len(sys.argv) - 1, sum(map(len, sys.argv[1:])))")
        many = [str(i) for i in range(20000)]
        assert self.trace("-q", *count, *many).out == f"20000 {sum(map(len, many))}\n"
        assert self.trace("-q", *count, "x" * 131000).out == "1 131000\n"

    @pytest.mark.parametrize("ours", [
        ["-o", "p.json"], ["-op.json"], ["--output", "p.json"], ["--output=p.json"],
        ["-q", "-o", "p.json"], ["-o", "p.json", "-q"], ["-o", "p.json", "--"],
        ["--timeout", "100s", "-o", "p.json"], ["--timeout=1h", "--output=p.json"],
        ["--runtime", "none", "--no-vdso", "-o", "p.json"]])
    def test_spellings_of_an_option_with_a_value(self, ours):
        seen, _ = self.arguments_of_target(*ours, target=["-q"], profile="p.json")
        assert seen == ["-q"]

    def test_short_options_in_one_argument(self):
        # Common to getopt programs, and `derive -qo FILE` takes it.
        seen, done = self.arguments_of_target("-qo", "p.json", target=["x"], profile="p.json")
        assert (seen, done.err) == (["x"], "")

    def test_a_value_may_look_like_an_option_or_a_command(self):
        for name in ("trace", "true", "-p", "--help"):
            seen, _ = self.arguments_of_target(f"--output=./{name}", target=["x"], profile=name)
            assert seen == ["x"]
        seen, _ = self.arguments_of_target("-o", "trace", target=["x"], profile="trace")
        assert seen == ["x"]

    def test_commands_that_look_like_options(self):
        for command in ("-weird", "--weird", "-", "-o", "--help"):
            done = self.trace("--", command)
            self.assert_complains(done, f"callcensus: {command}: ", status=NOT_FOUND)
        # A lone hyphen is no option.
        self.assert_complains(self.trace("-"), "callcensus: -: ", status=NOT_FOUND)

    def test_commands_named_like_subcommands(self):
        self.path("bin").mkdir()
        for name in ("trace", "derive"):
            self.write(f"bin/{name}", "#!/bin/sh\necho \"$0\" \"$@\"\n", 0o755)
            env = self.environment(PATH=f"{self.path('bin')}:/usr/bin:/bin")
            done = self.trace("-q", name, "-q", env=env)
            assert (done.status, done.out) == (0, f"{self.path('bin')}/{name} -q\n")


class TestWhoseOptionAsNobody(harness.AsNobody, TestWhoseOption):
    pass


class TestFindingTheCommand(harness.Case):
    """As a shell finds it."""

    def set_up(self):
        super().set_up()
        for folder in ("first", "second"):
            self.path(folder).mkdir()
            self.write(f"{folder}/both", f"#!/bin/sh\necho {folder}\n", 0o755)
        self.write("here", "#!/bin/sh\necho here\n", 0o755)

    def says(self, command, search_path):
        env = self.environment(PATH=search_path)
        natively = self.run_natively("/usr/bin/env", "--", command, env=env)
        done = self.trace("-q", "-o", "/dev/null", command, env=env)
        assert (done.status, done.out) == (natively.status, natively.out)
        return done.out.strip()

    def test_first_match_counts(self):
        first, second = self.path("first"), self.path("second")
        assert self.says("both", f"{first}:{second}") == "first"
        assert self.says("both", f"{second}:{first}") == "second"
        assert self.says("both", f"/nonexistent:{self.path('here')}:{second}:{first}") == "second"

    def test_relative_elements(self):
        assert self.says("both", "second") == "second"
        assert self.says("both", "./first/../second") == "second"

    def test_what_cannot_be_executed_is_passed_over(self):
        both = f"{self.path('first')}:{self.path('second')}"
        os.chmod(self.path("first/both"), 0o644)
        assert self.says("both", both) == "second"
        self.path("first/both").unlink()
        self.path("first/both").mkdir()
        assert self.says("both", both) == "second"
        self.path("first/both").rmdir()
        self.path("first/both").symlink_to("nowhere")
        assert self.says("both", both) == "second"

    @pytest.mark.parametrize("search_path",
        [":/nonexistent", "/nonexistent:", "/nonexistent::/usr/nonexistent", ":", ""])
    def test_empty_elements_are_the_working_directory(self, search_path):
        assert self.says("here", search_path) == "here"

    def test_the_working_directory_is_not_searched_otherwise(self):
        assert self.says("here", "/nonexistent") == ""

    def test_no_search_path(self):
        env = self.environment(PATH=None)
        done = self.trace("-q", "-o", "/dev/null", "sh", "-c", "echo found", env=env)
        assert (done.status, done.out) == (0, "found\n")
        assert self.trace("-q", "-o", "p.json", "here", env=env).status == NOT_FOUND

    def test_a_name_with_a_slash_is_a_path(self):
        assert self.says("first/both", str(self.path("second"))) == "first"
        assert self.says("./here", "/nonexistent") == "here"

    def test_first_argument_as_typed(self):
        os.symlink("/bin/cat", self.path("first/kitten"))
        env = self.environment(PATH=f"{self.path('first')}:/usr/bin:/bin")
        for command in ("kitten", "first/kitten", "./first/../first/kitten", str(self.path("first/kitten"))):
            done = self.trace("-q", "-o", "p.json", "--recording", "r.json", command, "/proc/self/cmdline",
                              env=env)
            assert done.out == f"{command}\0/proc/self/cmdline\0"
            recording = self.json("r.json")
            assert recording["command"] == [command, "/proc/self/cmdline"]
            assert recording["executables"] == [os.path.realpath("/bin/cat")]

    def test_the_environment_is_unchanged(self):
        env = {"PATH": "/usr/bin:/bin", "EMPTY": "", "ODD": "a=b\nc", "_": "whatever"}
        native = self.run_natively("env", "-0", env=env)
        assert self.trace("-q", "-o", "p.json", "env", "-0", env=env).out == native.out
        native = self.run_natively("/usr/bin/env", "-0", env={"ONLY": "this"})
        assert self.trace("-q", "-o", "p.json", "/usr/bin/env", "-0", env={"ONLY": "this"}).out == native.out


class TestFindingTheCommandAsNobody(harness.AsNobody, TestFindingTheCommand):
    pass


class TestHelp(harness.Case):
    """--help and --version are what was asked for: standard output, status 0, nothing is run."""

    def asked_for(self, *arguments):
        done = self.callcensus(*arguments)
        self.assert_succeeded(done)
        assert done.err == ""
        assert self.files() == []
        assert done.out.endswith("\n")
        assert not done.out.endswith("\n\n")
        return done.out

    def test_help(self):
        for arguments, usage in ((["--help"], "callcensus "), (["trace", "--help"], "callcensus trace "),
                                 (["derive", "--help"], "callcensus derive "),
                                 (["convert", "--help"], "callcensus convert ")):
            text = self.asked_for(*arguments)
            assert f"\nUsage: {usage}" in text
            assert re.search(r"\nExamples?:\n  callcensus ", text)
            assert not re.search(r"[ \t]\n", text), "space at the end of a line"
            assert [line for line in text.splitlines() if len(line) > 140] == []
            assert self.asked_for(*arguments[:-1], "-h") == text

    def test_help_names_every_subcommand_and_option(self):
        text = self.asked_for("--help")
        for subcommand in ("trace", "derive", "convert"):
            assert re.search(rf"\n  {subcommand} +\w", text)
        policy = ["--baseline", "--observed-only", "--runtime", "--no-exec", "--no-new-privileges", "--no-unseen",
                  "--no-vdso", "--families", "--default-action", "--default-errno"]
        for subcommand, options in (
                ("trace", ["-o,--output", "--recording", "-q,--quiet", "--json", "--engine", "--timeout",
                           "--kill-after", "--until-exit", *policy]),
                ("derive", ["RECORDING", "-o,--output", "-q,--quiet", "--format", "--lossy", *policy]),
                ("convert", ["PROFILE", "-o,--output", "-q,--quiet", "--to", "--lossy", "--abi", "--caps"])):
            text = self.asked_for(subcommand, "--help")
            for option in options:
                assert re.search(rf"\n  {re.escape(option)}[ ,]+\S", text), f"{subcommand} --help"

    def test_help_wins_over_what_else_is_there_or_missing(self):
        self.asked_for("trace", "--help", "touch", "ran")
        self.asked_for("trace", "-q", "--help", "--", "touch", "ran")
        self.asked_for("derive", "--help")

    def test_version(self):
        lines = self.asked_for("--version").splitlines()
        assert re.search(r"^callcensus \d+\.\d+\.\d+$", lines[0])
        assert re.search(r"^libseccomp \d+\.\d+\.\d+$", lines[1])
        assert lines[2] == f"{os.uname().sysname} {os.uname().release} {os.uname().machine}"
