"""Processes that run layers in one library each, and take turns."""

import json
import os
import select
import signal
import subprocess
import tempfile


class WorkerError(Exception):
    """What a worker answered instead of a result, or how it ended."""


class Worker:
    """A process that answers one line of JSON with one line, and is stopped between requests.

    A stopped process takes no time from the one whose turn it is, whatever its threads would do while they wait.
    """

    def __init__(self, command, environment=None, timeout=300):
        """Starts a command with these variables in addition to ours; `timeout` is in seconds, of one answer."""
        self.timeout = timeout
        self.errors = tempfile.TemporaryFile()
        # It has a group of its own, so that Ctrl-C reaches only us, and that the kernel ends it should we be killed
        # while it is stopped.
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            process_group=0,
        )
        self.received = b""

    def ask(self, do, **request):
        """The answer to a request, a dict. Raises WorkerError if it is an error, or comes too late or not at all."""
        try:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.write(json.dumps({"do": do, **request}).encode() + b"\n")
            self.process.stdin.flush()
            answer = json.loads(self.read_line())
            self.process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)  # until it has stopped
        except (OSError, ValueError) as error:
            self.process.kill()
            self.process.wait()
            message = str(error) if isinstance(error, TimeoutError) else self.last_words()
            self.close()
            raise WorkerError(message) from None
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def read_line(self):
        """The next line of the process. Raises TimeoutError, or ConnectionError where it has ended."""
        while b"\n" not in self.received:
            if not select.select([self.process.stdout], [], [], self.timeout)[0]:
                raise TimeoutError(f"no answer in {self.timeout} s")
            block = os.read(self.process.stdout.fileno(), 1 << 20)
            if not block:
                raise ConnectionError("the process ended")
            self.received += block
        line, _, self.received = self.received.partition(b"\n")
        return line

    def last_words(self):
        """The last line that the process wrote to standard error, with how it ended."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        ended = f" (exit status {self.process.returncode})" if self.process.returncode != -signal.SIGKILL else ""
        return (lines[-1] if lines else "the process ended without a word") + ended

    @property
    def alive(self):
        """Whether the process still runs, stopped or not."""
        return self.process.poll() is None

    def close(self):
        """Ends the process."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
