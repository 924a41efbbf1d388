"""A profile that callcensus writes is one that the command runs under, and no observed call in it can be done
without.

    /usr/bin/python3 -m pytest tests/compare/test_profile_loads.py
"""
import copy
import json
import os
import shutil
import signal

import pytest

import comparison

DENY_BY_KILLING = ("--default-action", "SCMP_ACT_KILL_PROCESS")
NO_RUNTIME = ("--runtime", "none")


def rule_lines(profile):
    """The profile as run_under_profile reads it."""
    lines = [f"default {profile['defaultAction']} {profile.get('defaultErrnoRet', '')}"]
    lines += [f"architecture {name}" for name in profile["architectures"]]
    for rule in profile["syscalls"]:
        unknown = rule.keys() - {"names", "action", "comment"}
        if unknown:
            raise AssertionError(f"a rule with a condition, which the helper would not heed: {rule}")
        lines += [f"{rule['action']} {name}" for name in rule["names"]]
    return "\n".join(lines) + "\n"


def without_call(profile, name):
    changed = copy.deepcopy(profile)
    for rule in changed["syscalls"]:
        rule["names"] = [other for other in rule["names"] if other != name]
    return changed


def without_architecture(profile, name):
    return {**profile, "architectures": [other for other in profile["architectures"] if other != name]}


class ProfileTest(comparison.WithDirectory):
    def set_up(self):
        super().set_up()
        # What the commands see is not to change with the files that the test writes.
        self.view = self.directory / "view"
        self.view.mkdir()
        for name in ("one", "two", "three"):
            (self.view / name).write_text(name, encoding="utf-8")

    def profile_of(self, command, *options):
        path = self.directory / "profile.json"
        completed = comparison.run(
            [comparison.program(), "trace", "--quiet", "-o", path, *options, "--", *command], cwd=self.view)
        assert completed.returncode == 0, comparison.described(completed)
        return json.loads(path.read_text(encoding="utf-8"))

    def run_under(self, profile, command):
        path = self.directory / "rules"
        path.write_text(rule_lines(profile), encoding="utf-8")
        return comparison.run([comparison.run_under_profile(), path, *command], cwd=self.view)

    def assert_same_as_native(self, profile, command):
        native = comparison.run(command, cwd=self.view)
        confined = self.run_under(profile, command)
        assert ((confined.returncode, confined.stdout, confined.stderr) ==
                (native.returncode, native.stdout, native.stderr)), comparison.described(confined)
        assert native.returncode == 0, comparison.described(native)

    def assert_killed(self, profile, command, why):
        completed = self.run_under(profile, command)
        assert completed.returncode == -signal.SIGSYS, f"{why}{comparison.described(completed)}"


class TestListDirectory(ProfileTest):
    def set_up(self):
        super().set_up()
        self.command = [shutil.which("ls", path=comparison.ENVIRONMENT["PATH"]), "-l"]

    @pytest.mark.parametrize("scope", [(), NO_RUNTIME, ("--observed-only",)])
    @pytest.mark.parametrize("denial", [(), DENY_BY_KILLING])
    def test_runs_under_its_profile(self, scope, denial):
        self.assert_same_as_native(self.profile_of(self.command, *scope, *denial), self.command)

    def test_every_observed_call_is_needed(self):
        profile = self.profile_of(self.command, *NO_RUNTIME, *DENY_BY_KILLING)
        observed = profile["syscalls"][0]["names"]
        assert "execve" in observed
        assert "exit_group" in observed
        for name in observed:
            self.assert_killed(without_call(profile, name), self.command, f"without {name}")

    def test_what_was_not_observed_is_denied(self):
        profile = self.profile_of(self.command, *NO_RUNTIME, *DENY_BY_KILLING)
        rename = [shutil.which("mv", path=comparison.ENVIRONMENT["PATH"]), "one", "four"]
        self.assert_killed(profile, rename, "ls does not rename")
        assert (self.view / "one").exists()

    def test_a_denial_by_errno_is_the_default(self):
        profile = self.profile_of(self.command)
        assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 38)
        # Without getdents64 ls can say why it fails; without openat the loader cannot load ls.
        completed = self.run_under(without_call(profile, "getdents64"), self.command)
        assert completed.returncode == 2, comparison.described(completed)
        assert "Function not implemented" in completed.stderr, comparison.described(completed)
        completed = self.run_under(without_call(profile, "openat"), self.command)
        assert completed.returncode == 127, comparison.described(completed)


class TestSeveralAbis(ProfileTest):
    def tracee(self, name):
        path = comparison.tracee(name)
        if path is None:
            pytest.skip(f"tracee_{name} is not built, or CALLCENSUS_TRACEES does not say where")
        native = comparison.run([path])
        if native.stdout.startswith("SKIPPED: "):
            pytest.skip(f"tracee_{name}: {native.stdout.removeprefix('SKIPPED: ').strip()}")
        return [path]

    def check(self, name, architectures, needed):
        command = self.tracee(name)
        profile = self.profile_of(command, *NO_RUNTIME, *DENY_BY_KILLING)
        assert sorted(profile["architectures"]) == architectures
        self.assert_same_as_native(profile, command)
        for architecture in architectures:
            self.assert_killed(without_architecture(profile, architecture), command, f"without {architecture}")
        for call in needed:
            assert call in profile["syscalls"][0]["names"]
            self.assert_killed(without_call(profile, call), command, f"without {call}")

    def test_three_abis_in_one_program(self):
        # Calls that it makes by its 64-bit, 32-bit and x32 numbers, in this order.
        self.check("abi_mix", ["SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64"],
                   ("openat", "getresuid32", "getsid"))

    def test_32_bit_program(self):
        # Its execve is a 64-bit call.
        self.check("i386", ["SCMP_ARCH_X86", "SCMP_ARCH_X86_64"], ("execve", "getsid", "mmap2"))


def missing():
    """Why nothing can be tested here, or None."""
    if not os.access(comparison.run_under_profile(), os.X_OK):
        return f"{comparison.run_under_profile()}, which loads profiles, is not built"
    return comparison.missing_program() or comparison.missing_tool("ls", "mv")


possible = comparison.skipped_for(missing)
