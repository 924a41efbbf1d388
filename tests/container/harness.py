"""What the container tests have in common: a sandbox or a reason to skip, subtests, and what is refused.

    def setUpModule():
        global sandbox
        sandbox = harness.sandbox_of_module()
"""

import itertools
import os
import pathlib
import signal
import unittest

import containers
from containers import describe

ROOT = 0
SOMEONE_ELSE = 1000
USERS = (ROOT, SOMEONE_ELSE)

DENY_WITH_ENOSYS = ()
DENY_BY_KILLING = ("--default-action", "SCMP_ACT_KILL_PROCESS")
STATUS_OF_A_KILL = 128 + signal.SIGSYS


def skip_everything(reason):
    # ctest recognises the line; only here, since it counts the whole file as skipped then.
    print(f"SKIPPED: {reason}", flush=True)
    raise unittest.SkipTest(reason)


def sandbox_of_module():
    """For setUpModule: the sandbox, which is closed when the module's tests are done."""
    program = os.environ.get("CALLCENSUS")
    reason = containers.missing_on_this_machine(program)
    if reason:
        skip_everything(reason)
    try:
        sandbox = containers.Sandbox(os.path.abspath(program))
    except PermissionError as error:
        skip_everything(f"no mount namespace of our own: {error}")
    unittest.addModuleCleanup(sandbox.close)
    reason = sandbox.why_busybox_does_not_run_alone()
    if reason:
        skip_everything(f"{containers.BUSYBOX} needs libraries (Debian: busybox-static): {reason}")
    return sandbox


def machine_of(sandbox):
    """For setUpModule: the root file system with the machine's programs."""
    try:
        return sandbox.machine
    except OSError as error:
        skip_everything(f"no overlay of the machine's root file system: {error}")


class ContainerTest(unittest.TestCase):
    maxDiff = None

    def for_each(self, launchers, check, **dimensions):
        """Calls check(launcher, NAME=value...) for every launcher in every combination of the dimensions,
        each as a subtest of its own."""
        for launcher, *values in itertools.product(launchers, *dimensions.values()):
            combination = dict(zip(dimensions, values))
            with self.subTest(launcher=launcher.name, **combination):
                if launcher.missing():
                    self.skipTest(launcher.missing())
                check(launcher, **combination)

    def assert_lists_the_root(self, completed):
        self.assertEqual(completed.returncode, 0, describe(completed))
        self.assertIn("bin", completed.stdout.split(), describe(completed))

    def assert_succeeds(self, completed):
        self.assertEqual(completed.returncode, 0, describe(completed))

    def assert_killed(self, completed):
        self.assertEqual(completed.returncode, STATUS_OF_A_KILL, describe(completed))

    def names_of(self, profile):
        """The names that the profile's rules allow."""
        rules = containers.read_json(profile)["syscalls"]
        return {name for rule in rules if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}

    def observed_by(self, profile):
        rules = containers.read_json(profile)["syscalls"]
        return {name for rule in rules if rule["comment"].startswith("observed") for name in rule["names"]}


def source_directory():
    return pathlib.Path(__file__).resolve().parent
