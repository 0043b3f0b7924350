"""Files are written whole or not at all, whatever ends the process; permissions; closed standard descriptors."""

import os
import resource
import shutil
import signal
import stat
import subprocess
import time
import unittest

import cli_support
from cli_support import CommandLineTest, main

INIT = ["init", "--in-channels", 4, "--out-channels", 6, "--kernel-size", 2]


class FilesTest(CommandLineTest):
    RUN = ["run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy"]

    def setUp(self):
        super().setUp()
        self.save_random("x.npy", (1, 2, 3, 4, 5))
        self.save_random("w.npy", (2, 3, 3, 3, 3))
        self.succeed(*self.RUN[:-1], "expected.npy")

    def bytes_of(self, name):
        return (self.folder / name).read_bytes()

    def mode(self, name):
        return stat.S_IMODE((self.folder / name).stat().st_mode)

    def temporaries(self):
        return list(self.folder.glob(".unstride*"))

    def start_and_hold(self, *arguments, files=1, **options):
        """A process that has so many temporary files and waits for its report to be read; and the pipe for that."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x")
        except BlockingIOError:
            os.set_blocking(writing, True)
        process = self.start(*arguments, stdout=writing, **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(writing)
        while len(self.temporaries()) < files:
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        return process, reading

    def read_all(self, process, reading):
        """Lets the process end, and returns its status and errors."""
        while process.poll() is None:
            os.read(reading, 1 << 16)
        return process.returncode, process.stderr.read()

    # ------------------------------------------------------------------------------------------------ signals

    def test_a_signal_leaves_no_file(self):
        for name in "HUP", "INT", "QUIT", "TERM", "ALRM", "USR1", "USR2", "XCPU":
            with self.subTest(name):
                number = getattr(signal, "SIG" + name)

                def heed(number=number):  # who runs the tests may ignore it
                    signal.signal(number, signal.SIG_DFL)

                (self.folder / "y.npy").write_text("before")
                process, _ = self.start_and_hold(*self.RUN, preexec_fn=heed)
                process.send_signal(number)
                self.assertEqual(process.wait(60), -number)
                self.assertEqual(process.stderr.read(), "")
                self.assertEqual(self.temporaries(), [])
                self.assertEqual(self.bytes_of("y.npy"), b"before")

    def test_a_signal_leaves_none_of_two_files(self):
        process, _ = self.start_and_hold(*INIT, "--weight", "new_w.npy", "--bias", "new_b.npy", files=2)
        process.terminate()
        self.assertEqual(process.wait(60), -signal.SIGTERM)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"x.npy", "w.npy", "expected.npy"})

    def test_a_signal_leaves_none_of_three_files(self):
        backward = ["backward", "--input", "x.npy", "--weight", "w.npy", "--grad-output", "expected.npy"]
        outputs = ["--grad-input", "gx.npy", "--grad-weight", "gw.npy", "--grad-bias", "gb.npy"]
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        process, _ = self.start_and_hold(*backward, *outputs, files=3)
        process.terminate()
        self.assertEqual(process.wait(60), -signal.SIGTERM)
        self.assertEqual({path.name: path.read_bytes() for path in self.folder.iterdir()}, before)
        process, reading = self.start_and_hold(*backward, *outputs, files=3)
        self.assertEqual(self.read_all(process, reading), (0, ""))
        self.assertEqual({path.name for path in self.folder.iterdir()}, {*before, "gx.npy", "gw.npy", "gb.npy"})

    def test_ignored_signals_stay_ignored(self):
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        process, reading = self.start_and_hold(*self.RUN, preexec_fn=ignore)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(self.read_all(process, reading), (0, ""))
        self.assertEqual(self.bytes_of("y.npy"), self.bytes_of("expected.npy"))
        self.assertEqual(self.temporaries(), [])

    def test_a_report_that_nobody_reads(self):
        """`unstride run ... | head -1` ends by SIGPIPE, as other commands do, or by an error where that is ignored."""
        for ignored in False, True:
            with self.subTest(ignored=ignored):
                reading, writing = os.pipe()
                os.close(reading)
                process = self.start(*self.RUN, stdout=writing, restore_signals=not ignored)
                os.close(writing)
                error = process.communicate(timeout=60)[1]
                self.assertEqual(process.returncode, 2 if ignored else -signal.SIGPIPE)
                self.assertEqual(error, "unstride: error: standard output cannot be written\n" if ignored else "")
                self.assertFalse((self.folder / "y.npy").exists())
                self.assertEqual(self.temporaries(), [])

    def test_limit_of_file_sizes(self):
        (self.folder / "y.npy").write_text("before")
        process = self.start(
            *self.RUN,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
        )
        error = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 2)
        self.assertEqual(error, "unstride: error: y.npy: cannot be written: File too large\n")
        self.assertEqual(self.bytes_of("y.npy"), b"before")
        self.assertEqual(self.temporaries(), [])

    # ------------------------------------------------------------------------------------------------ permissions

    def test_permissions(self):
        for before in 0o600, 0o640, 0o664, 0o777:
            for mask in 0o022, 0o077:
                with self.subTest(oct(before), mask=oct(mask)):
                    (self.folder / "y.npy").write_text("before")
                    (self.folder / "y.npy").chmod(before)
                    process, reading = self.start_and_hold(*self.RUN, umask=mask)
                    self.assertEqual([stat.S_IMODE(path.stat().st_mode) for path in self.temporaries()], [0o600])
                    self.assertEqual(self.read_all(process, reading), (0, ""))
                    self.assertEqual(self.mode("y.npy"), before)
                    (self.folder / "y.npy").unlink()
                    process = self.start(*self.RUN, umask=mask, stdout=subprocess.DEVNULL)
                    self.assertEqual((process.communicate(timeout=60)[1], process.returncode), ("", 0))
                    self.assertEqual(self.mode("y.npy"), 0o666 & ~mask)

    def test_permissions_of_what_a_link_names(self):
        (self.folder / "y.npy").symlink_to("real.npy")
        (self.folder / "real.npy").write_text("before")
        (self.folder / "real.npy").chmod(0o600)
        self.succeed(*self.RUN)
        self.assertTrue((self.folder / "y.npy").is_symlink())
        self.assertEqual(self.mode("real.npy"), 0o600)
        self.assertEqual(self.bytes_of("real.npy"), self.bytes_of("expected.npy"))

    def give(self, name, owner, group):
        try:
            os.chown(self.folder / name, owner, group)
        except OSError as error:
            self.skipTest(f"files cannot be given to others here: {error}")

    def start_as_somebody(self, *arguments, **options):
        """Runs a copy of the command, as the folder of the build may be closed to others."""

        def somebody():
            os.setgroups([])
            os.setgid(12345)
            os.setuid(12345)

        command = shutil.copy(cli_support.UNSTRIDE, self.folder / "command")
        try:
            return subprocess.Popen(
                [command, *arguments],
                cwd=self.folder,
                stderr=subprocess.PIPE,
                text=True,
                env=self.environment(),
                preexec_fn=somebody,
                **options,
            )
        except (OSError, subprocess.SubprocessError) as error:
            self.skipTest(f"commands cannot be run as somebody else here: {error}")

    @unittest.skipUnless(os.geteuid() == 0, "only root may give files to others")
    def test_owner(self):
        (self.folder / "y.npy").write_text("before")
        (self.folder / "y.npy").chmod(0o640)
        self.give("y.npy", 12345, 23456)
        self.succeed(*self.RUN)
        status = (self.folder / "y.npy").stat()
        self.assertEqual((status.st_uid, status.st_gid, self.mode("y.npy")), (12345, 23456, 0o640))

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_group_that_cannot_be_kept(self):
        """Its permissions do not go to the group of whoever writes the file."""
        self.folder.chmod(0o777)
        (self.folder / "y.npy").write_text("before")
        for before, after in (0o666, 0o666), (0o662, 0o622):
            (self.folder / "y.npy").chmod(before)
            self.give("y.npy", 0, 23456)
            process = self.start_as_somebody(*self.RUN, stdout=subprocess.DEVNULL)
            error = process.communicate(timeout=60)[1]
            self.assertEqual((process.returncode, error), (0, ""))
            self.assertEqual((self.folder / "y.npy").stat().st_gid, 12345)
            self.assertEqual(self.mode("y.npy"), after)

    # ------------------------------------------------------------------------------------------------ descriptors

    def call_without(self, descriptors, *arguments, **environment):
        """The call in which these standard descriptors are closed."""

        def close():
            for descriptor in descriptors:
                os.close(descriptor)

        return subprocess.run(
            [cli_support.UNSTRIDE, *map(str, arguments)],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            preexec_fn=close,
            env={**self.environment(), **environment},
        )

    def test_closed_standard_input_or_error(self):
        self.succeed(*INIT, "--weight", "expected_w.npy", "--bias", "expected_b.npy")
        for closed in [0], [2], [0, 2]:
            with self.subTest(closed=closed):
                # The warning of wisdom that is not there goes to standard error while the output is open.
                self.assertEqual(self.call_without(closed, *self.RUN, UNSTRIDE_WISDOM="missing").returncode, 0)
                self.assertEqual(self.bytes_of("y.npy"), self.bytes_of("expected.npy"))
                done = self.call_without(closed, *INIT, "--weight", "new_w.npy", "--bias", "new_b.npy")
                self.assertEqual(done.returncode, 0)
                for name in "w.npy", "b.npy":
                    self.assertEqual(self.bytes_of("new_" + name), self.bytes_of("expected_" + name))
                self.assertEqual(self.call_without(closed, *self.RUN, "--threads", 0).returncode, 2)

    def test_closed_standard_output(self):
        """A report that has nowhere to go is an error, as of `echo`, and nothing is written."""
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        layer = ["--input-size", "1,2,3,4,5", "--out-channels", 3, "--kernel-size", 2]
        for arguments in (
            self.RUN,
            [*INIT, "--weight", "new_w.npy", "--bias", "new_b.npy"],
            ["backward", "--grad-output", "expected.npy", "--grad-bias", "new.npy"],
            ["plan", *layer],
            ["list"],
            ["--help"],
            ["bench", "--layers", "seed1", "--json", "new.json"],
            ["tune", *layer, "--wisdom", "new_wisdom"],
        ):
            for closed in [1], [0, 1]:
                with self.subTest(arguments[0], closed=closed):
                    done = self.call_without(closed, *arguments)
                    self.assertEqual(done.returncode, 2)
                    self.assertEqual(done.stderr, "unstride: error: standard output cannot be written\n")
            self.assertEqual(self.call_without([0, 1, 2], *arguments).returncode, 2)
        self.assertEqual(before, {path.name: path.read_bytes() for path in self.folder.iterdir()})


if __name__ == "__main__":
    main()
