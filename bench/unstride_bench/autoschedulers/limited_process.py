"""Runs a program that may take too long or too much memory, or crash: all of that is a result."""

import os
import re
import resource
import signal
import subprocess
import threading
import time

stopped = threading.Event()  # set when the user has had enough: whatever runs ends


def run_limited(words, seconds, gigabytes):
    """Runs a command: what became of it, its message, its seconds of processor time, and the most bytes that it took.

    What becomes of it is "ok", "time limit", "memory limit", "crash" or "no schedule". Raises KeyboardInterrupt if the
    user stops everything meanwhile.
    """
    limit = int(gigabytes * 2**30)
    process = subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        process_group=0,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr.read().decode(errors="replace").splitlines()))
    reader.start()
    end, late = time.monotonic() + seconds, False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if not late and (stopped.is_set() or time.monotonic() > end):
            late = True
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    process.stderr.close()
    used, spent, text = 1024 * usage.ru_maxrss, usage.ru_utime + usage.ru_stime, "\n".join(lines)
    if stopped.is_set():
        raise KeyboardInterrupt
    if late:
        return "time limit", f"took more than {seconds:g} s", spent, used
    if process.returncode == 0:
        return "ok", "", spent, used
    if "bad_alloc" in text or used > 0.9 * limit:
        return "memory limit", f"took more than {gigabytes:g} GiB", spent, used
    if process.returncode < 0:
        return "crash", f"{signal.Signals(-process.returncode).name}: {last_error(lines)}", spent, used
    return "no schedule", last_error(lines), spent, used


def last_error(lines):
    """The part of a process's words that says what was wrong, in one line."""
    start = max((i for i, line in enumerate(lines) if "rror" in line), default=max(len(lines) - 1, 0))
    text = " ".join(line.strip() for line in lines[start : start + 4])
    return re.sub(r"^Unhandled exception: ", "", text)[:300] or "no message"
