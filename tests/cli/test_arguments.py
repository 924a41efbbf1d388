#!/usr/bin/env python3
"""Which arguments are ours and which are the target's, and what the target gets to see of its own."""

import os
import re

import harness
from harness import NOT_FOUND


class WhoseOption(harness.Case):
    """Options end at `--` or at the command; whatever follows is the target's."""

    def arguments_of_target(self, *ours, target=(), profile="seccomp.json"):
        """What a target gets to see behind its name when started with `ours` and these arguments. The profile
        must be where it should be, and nothing else be left."""
        script = self.write("target", '#!/bin/sh\nfor argument; do echo "<$argument>"; done\n', 0o755)
        done = self.trace(*ours, script, *target)
        self.assertSucceeded(done)
        self.assertEqual(self.files(), sorted(["target", profile]), done)
        self.assertIn("execve", harness.observed(self.json(profile)))
        self.path(profile).unlink()
        return re.findall(r"^<(.*)>$", done.out, re.MULTILINE), done

    def test_options_behind_the_command_belong_to_it(self):
        seen, _ = self.arguments_of_target(target=["-o", "y"])
        self.assertEqual(seen, ["-o", "y"])
        seen, done = self.arguments_of_target("-o", "p", "-q",
                                              target=["-l", "-q", "--json", "--help", "--version"],
                                              profile="p")
        self.assertEqual(seen, ["-l", "-q", "--json", "--help", "--version"])
        self.assertEqual(done.err, "")

    def test_the_same_with_ls(self):
        self.write("y", "")
        native = self.run_natively("ls", "-o", "y")
        traced = self.trace("ls", "-o", "y")
        self.assertEqual((traced.status, traced.out), (0, native.out))
        self.assertEqual(self.files(), ["seccomp.json", "y"])
        self.assertEqual(self.path("y").read_text(encoding="ascii"), "")

    def test_separator(self):
        seen, _ = self.arguments_of_target("--", target=["-o", "y", "--", "z"])
        self.assertEqual(seen, ["-o", "y", "--", "z"])
        seen, _ = self.arguments_of_target("-q", "--", target=["--"])
        self.assertEqual(seen, ["--"])

    def test_arguments_that_look_like_nothing(self):
        odd = ["", "-", "--", "---", " ", "a b", "*", "$HOME", "\t", "=", "--=", "-o=", "\\", "'", '"',
               "ümlaut"]
        seen, _ = self.arguments_of_target("--", target=odd)
        self.assertEqual(seen, odd)
        seen, _ = self.arguments_of_target(target=odd)
        self.assertEqual(seen, odd)

    def test_a_newline_and_bytes_that_are_no_text(self):
        odd = [b"two\nlines", b"\xff\xfe\x80", b"\xc3"]
        show = harness.python("import os, sys; print([os.fsencode(a) for a in sys.argv[1:]])")
        done = self.trace("-q", "--recording", "r.json", *show, *odd)
        self.assertEqual(done.out, f"{odd}\n", done)
        self.assertEqual(self.json("r.json")["command"][-3:], ["two\nlines", "\ufffd" * 3, "\ufffd"])

    def test_many_and_long_arguments(self):
        count = harness.python("import sys; print(len(sys.argv) - 1, sum(map(len, sys.argv[1:])))")
        many = [str(i) for i in range(20000)]
        self.assertEqual(self.trace("-q", *count, *many).out, f"20000 {sum(map(len, many))}\n")
        self.assertEqual(self.trace("-q", *count, "x" * 131000).out, "1 131000\n")

    def test_spellings_of_an_option_with_a_value(self):
        for ours in (["-o", "p.json"], ["-op.json"], ["--output", "p.json"], ["--output=p.json"],
                     ["-q", "-o", "p.json"], ["-o", "p.json", "-q"], ["-o", "p.json", "--"],
                     ["--timeout", "100s", "-o", "p.json"], ["--timeout=1h", "--output=p.json"],
                     ["--runtime", "none", "--no-vdso", "-o", "p.json"]):
            with self.subTest(ours=ours):
                seen, _ = self.arguments_of_target(*ours, target=["-q"], profile="p.json")
                self.assertEqual(seen, ["-q"])

    def test_short_options_in_one_argument(self):
        # Common to getopt programs, and `derive -qo FILE` takes it.
        seen, done = self.arguments_of_target("-qo", "p.json", target=["x"], profile="p.json")
        self.assertEqual((seen, done.err), (["x"], ""))

    def test_a_value_may_look_like_an_option_or_a_command(self):
        for name in ("trace", "true", "-p", "--help"):
            seen, _ = self.arguments_of_target(f"--output=./{name}", target=["x"], profile=name)
            self.assertEqual(seen, ["x"])
        seen, _ = self.arguments_of_target("-o", "trace", target=["x"], profile="trace")
        self.assertEqual(seen, ["x"])

    def test_commands_that_look_like_options(self):
        for command in ("-weird", "--weird", "-", "-o", "--help"):
            done = self.trace("--", command)
            self.assertComplains(done, f"callcensus: {command}: ", status=NOT_FOUND)
        # A lone hyphen is no option.
        self.assertComplains(self.trace("-"), "callcensus: -: ", status=NOT_FOUND)

    def test_commands_named_like_subcommands(self):
        self.path("bin").mkdir()
        for name in ("trace", "derive"):
            self.write(f"bin/{name}", "#!/bin/sh\necho \"$0\" \"$@\"\n", 0o755)
            env = self.environment(PATH=f"{self.path('bin')}:/usr/bin:/bin")
            done = self.trace("-q", name, "-q", env=env)
            self.assertEqual((done.status, done.out), (0, f"{self.path('bin')}/{name} -q\n"), done)


class WhoseOptionAsNobody(harness.AsNobody, WhoseOption):
    pass


class FindingTheCommand(harness.Case):
    """As a shell finds it."""

    def setUp(self):
        super().setUp()
        for folder in ("first", "second"):
            self.path(folder).mkdir()
            self.write(f"{folder}/both", f"#!/bin/sh\necho {folder}\n", 0o755)
        self.write("here", "#!/bin/sh\necho here\n", 0o755)

    def says(self, command, search_path):
        env = self.environment(PATH=search_path)
        natively = self.run_natively("/usr/bin/env", "--", command, env=env)
        done = self.trace("-q", "-o", "/dev/null", command, env=env)
        self.assertEqual((done.status, done.out), (natively.status, natively.out), done)
        return done.out.strip()

    def test_first_match_counts(self):
        first, second = self.path("first"), self.path("second")
        self.assertEqual(self.says("both", f"{first}:{second}"), "first")
        self.assertEqual(self.says("both", f"{second}:{first}"), "second")
        self.assertEqual(self.says("both", f"/nonexistent:{self.path('here')}:{second}:{first}"), "second")

    def test_relative_elements(self):
        self.assertEqual(self.says("both", "second"), "second")
        self.assertEqual(self.says("both", "./first/../second"), "second")

    def test_what_cannot_be_executed_is_passed_over(self):
        both = f"{self.path('first')}:{self.path('second')}"
        os.chmod(self.path("first/both"), 0o644)
        self.assertEqual(self.says("both", both), "second")
        self.path("first/both").unlink()
        self.path("first/both").mkdir()
        self.assertEqual(self.says("both", both), "second")
        self.path("first/both").rmdir()
        self.path("first/both").symlink_to("nowhere")
        self.assertEqual(self.says("both", both), "second")

    def test_empty_elements_are_the_working_directory(self):
        for search_path in (":/nonexistent", "/nonexistent:", "/nonexistent::/usr/nonexistent", ":", ""):
            with self.subTest(search_path=search_path):
                self.assertEqual(self.says("here", search_path), "here")

    def test_the_working_directory_is_not_searched_otherwise(self):
        self.assertEqual(self.says("here", "/nonexistent"), "")

    def test_no_search_path(self):
        env = self.environment(PATH=None)
        done = self.trace("-q", "-o", "/dev/null", "sh", "-c", "echo found", env=env)
        self.assertEqual((done.status, done.out), (0, "found\n"), done)
        self.assertEqual(self.trace("-q", "-o", "p.json", "here", env=env).status, NOT_FOUND)

    def test_a_name_with_a_slash_is_a_path(self):
        self.assertEqual(self.says("first/both", str(self.path("second"))), "first")
        self.assertEqual(self.says("./here", "/nonexistent"), "here")

    def test_first_argument_as_typed(self):
        os.symlink("/bin/cat", self.path("first/kitten"))
        env = self.environment(PATH=f"{self.path('first')}:/usr/bin:/bin")
        for command in ("kitten", "first/kitten", "./first/../first/kitten", str(self.path("first/kitten"))):
            done = self.trace("-q", "-o", "p.json", "--recording", "r.json", command, "/proc/self/cmdline",
                              env=env)
            self.assertEqual(done.out, f"{command}\0/proc/self/cmdline\0", done)
            recording = self.json("r.json")
            self.assertEqual(recording["command"], [command, "/proc/self/cmdline"])
            self.assertEqual(recording["executables"], [os.path.realpath("/bin/cat")])

    def test_the_environment_is_unchanged(self):
        env = {"PATH": "/usr/bin:/bin", "EMPTY": "", "ODD": "a=b\nc", "_": "whatever"}
        native = self.run_natively("env", "-0", env=env)
        self.assertEqual(self.trace("-q", "-o", "p.json", "env", "-0", env=env).out, native.out)
        native = self.run_natively("/usr/bin/env", "-0", env={"ONLY": "this"})
        self.assertEqual(self.trace("-q", "-o", "p.json", "/usr/bin/env", "-0", env={"ONLY": "this"}).out,
                         native.out)


class FindingTheCommandAsNobody(harness.AsNobody, FindingTheCommand):
    pass


class Help(harness.Case):
    """--help and --version are what was asked for: standard output, status 0, nothing is run."""

    def asked_for(self, *arguments):
        done = self.callcensus(*arguments)
        self.assertSucceeded(done)
        self.assertEqual(done.err, "")
        self.assertEqual(self.files(), [])
        self.assertTrue(done.out.endswith("\n"))
        self.assertFalse(done.out.endswith("\n\n"))
        return done.out

    def test_help(self):
        for arguments, usage in ((["--help"], "callcensus "), (["trace", "--help"], "callcensus trace "),
                                 (["derive", "--help"], "callcensus derive "),
                                 (["convert", "--help"], "callcensus convert ")):
            text = self.asked_for(*arguments)
            self.assertIn(f"\nUsage: {usage}", text)
            self.assertRegex(text, r"\nExamples?:\n  callcensus ")
            self.assertNotRegex(text, r"[ \t]\n", "space at the end of a line")
            self.assertEqual([line for line in text.splitlines() if len(line) > 140], [])
            self.assertEqual(self.asked_for(*arguments[:-1], "-h"), text)

    def test_help_names_every_subcommand_and_option(self):
        text = self.asked_for("--help")
        for subcommand in ("trace", "derive", "convert"):
            self.assertRegex(text, rf"\n  {subcommand} +\w")
        policy = ["--baseline", "--observed-only", "--runtime", "--no-exec", "--no-new-privileges", "--no-unseen",
                  "--no-vdso", "--families", "--default-action", "--default-errno"]
        for subcommand, options in (
                ("trace", ["-o,--output", "--recording", "-q,--quiet", "--json", "--engine", "--timeout",
                           "--kill-after", "--until-exit", *policy]),
                ("derive", ["RECORDING", "-o,--output", "-q,--quiet", "--format", "--lossy", *policy]),
                ("convert", ["PROFILE", "-o,--output", "-q,--quiet", "--to", "--lossy", "--abi", "--caps"])):
            text = self.asked_for(subcommand, "--help")
            for option in options:
                self.assertRegex(text, rf"\n  {re.escape(option)}[ ,]+\S", f"{subcommand} --help")

    def test_help_wins_over_what_else_is_there_or_missing(self):
        self.asked_for("trace", "--help", "touch", "ran")
        self.asked_for("trace", "-q", "--help", "--", "touch", "ran")
        self.asked_for("derive", "--help")

    def test_version(self):
        lines = self.asked_for("--version").splitlines()
        self.assertRegex(lines[0], r"^callcensus \d+\.\d+\.\d+$")
        self.assertRegex(lines[1], r"^libseccomp \d+\.\d+\.\d+$")
        self.assertEqual(lines[2], f"{os.uname().sysname} {os.uname().release} {os.uname().machine}")


if __name__ == "__main__":
    harness.main()
