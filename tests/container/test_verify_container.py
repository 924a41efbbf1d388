"""`callcensus verify --container -- podman run ...`: an audit of what happens inside, by the names of the inside.

    /usr/bin/python3 -m pytest tests/container/test_verify_container.py
"""

import json
import re

import pytest

import container_case
from container_case import each
from containers import PodmanLauncher, RUNTIMES, describe, run

PODMAN = [*map(PodmanLauncher, RUNTIMES)]
MKDIR = ["mkdir", "/tmp/made"]


class TestAudit(container_case.ContainerTest):
    def verify(self, launcher, profile, command, options=()):
        podman = launcher.podman_command(self.sandbox, ["run", "--rm", *launcher.arguments(self.sandbox), *command])
        report = self.sandbox.path / f"{self.sandbox.new_name('report')}.json"
        done = run([self.sandbox.program, "verify", "--container", "--format", "json", "-o", report, *options, profile,
                    "--", *podman])
        return done, json.loads(report.read_text(encoding="utf-8"))

    def profile(self, launcher, *removed):
        """Of what MKDIR makes inside, but for these."""
        path = self.sandbox.path / f"{self.sandbox.new_name('profile')}.json"
        podman = launcher.podman_command(self.sandbox, ["run", "--rm", *launcher.arguments(self.sandbox), *MKDIR])
        self.assert_succeeds(run([self.sandbox.program, "trace", "-q", "--container", "-o", path, "--", *podman]))
        profile = json.loads(path.read_text(encoding="utf-8"))
        for rule in profile["syscalls"]:
            rule["names"] = [name for name in rule["names"] if name not in removed]
        path.write_text(json.dumps(profile), encoding="utf-8")
        return path

    @pytest.mark.parametrize("launcher", each(PODMAN))
    def test_what_the_container_calls_and_nothing_from_outside(self, launcher):
        clean, report = self.verify(launcher, self.profile(launcher), MKDIR)
        assert (clean.returncode, report["findings"]) == (0, []), describe(clean)

        fixed = self.sandbox.path / f"{self.sandbox.new_name('profile')}.json"
        done, report = self.verify(launcher, self.profile(launcher, "mkdir"), MKDIR, ["--fix", fixed])
        assert (done.returncode, report["exit_code"]) == (1, 0), describe(done)
        assert [(one["call"], one["count"]) for one in report["findings"]] == [("mkdir", 1)]
        finding = report["findings"][0]
        assert finding["text"].startswith('mkdir("/tmp/made", '), finding
        # As the container has it, not where its files lie outside.
        assert finding["site"]["module"] == finding["executable"]
        assert re.search("^/bin/", finding["executable"])
        clean, report = self.verify(launcher, fixed, MKDIR)
        assert (clean.returncode, report["findings"]) == (0, []), describe(clean)

    @pytest.mark.parametrize("launcher", each(PODMAN))
    def test_the_status_is_the_containers(self, launcher):
        path = self.sandbox.path / f"{self.sandbox.new_name('profile')}.json"
        path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW"}), encoding="utf-8")
        done, report = self.verify(launcher, path, ["sh", "-c", "exit 7"])
        assert (done.returncode, report["denials"]) == (7, 0), describe(done)
