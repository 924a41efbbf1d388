#!/usr/bin/python3
"""`callcensus verify --container -- podman run ...`: an audit of what happens inside, by the names of the inside.

    CALLCENSUS=build/default/callcensus python3 tests/container/test_verify_container.py -v
"""

import json

import harness
from containers import PodmanLauncher, RUNTIMES, describe, run

PODMAN = [*map(PodmanLauncher, RUNTIMES)]
MKDIR = ["mkdir", "/tmp/made"]

sandbox = None


def setUpModule():
    global sandbox
    sandbox = harness.sandbox_of_module()


class Audit(harness.ContainerTest):
    def verify(self, launcher, profile, command, options=()):
        podman = launcher.podman_command(sandbox, ["run", "--rm", *launcher.arguments(sandbox), *command])
        report = sandbox.path / f"{sandbox.new_name('report')}.json"
        done = run([sandbox.program, "verify", "--container", "--format", "json", "-o", report, *options, profile,
                    "--", *podman])
        return done, json.loads(report.read_text(encoding="utf-8"))

    def profile(self, launcher, *removed):
        """Of what MKDIR makes inside, but for these."""
        path = sandbox.path / f"{sandbox.new_name('profile')}.json"
        podman = launcher.podman_command(sandbox, ["run", "--rm", *launcher.arguments(sandbox), *MKDIR])
        self.assert_succeeds(run([sandbox.program, "trace", "-q", "--container", "-o", path, "--", *podman]))
        profile = json.loads(path.read_text(encoding="utf-8"))
        for rule in profile["syscalls"]:
            rule["names"] = [name for name in rule["names"] if name not in removed]
        path.write_text(json.dumps(profile), encoding="utf-8")
        return path

    def test_what_the_container_calls_and_nothing_from_outside(self):
        def check(launcher):
            clean, report = self.verify(launcher, self.profile(launcher), MKDIR)
            self.assertEqual((clean.returncode, report["findings"]), (0, []), describe(clean))

            fixed = sandbox.path / f"{sandbox.new_name('profile')}.json"
            done, report = self.verify(launcher, self.profile(launcher, "mkdir"), MKDIR, ["--fix", fixed])
            self.assertEqual((done.returncode, report["exit_code"]), (1, 0), describe(done))
            self.assertEqual([(one["call"], one["count"]) for one in report["findings"]], [("mkdir", 1)])
            finding = report["findings"][0]
            self.assertTrue(finding["text"].startswith('mkdir("/tmp/made", '), finding)
            # As the container has it, not where its files lie outside.
            self.assertEqual(finding["site"]["module"], finding["executable"])
            self.assertRegex(finding["executable"], "^/bin/")
            clean, report = self.verify(launcher, fixed, MKDIR)
            self.assertEqual((clean.returncode, report["findings"]), (0, []), describe(clean))

        self.for_each(PODMAN, check)

    def test_the_status_is_the_containers(self):
        def check(launcher):
            path = sandbox.path / f"{sandbox.new_name('profile')}.json"
            path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW"}), encoding="utf-8")
            done, report = self.verify(launcher, path, ["sh", "-c", "exit 7"])
            self.assertEqual((done.returncode, report["denials"]), (7, 0), describe(done))

        self.for_each(PODMAN, check)


if __name__ == "__main__":
    harness.unittest.main()
