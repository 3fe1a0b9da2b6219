"""A program on a pseudo-terminal: what is typed to it, and what it is expected to show."""
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import fcntl

TIMEOUT = 30
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b[()=>][0-9A-Z]?|\x07|\x08")  # all but colours


class Terminal:
    def __init__(self, command, folder, **environment):
        self.seen = ""  # since the last match, without the control sequences of the editor
        variables = {"PATH": os.environ["PATH"], "TERM": "xterm", "HOME": folder,
                     "LC_ALL": "C.UTF-8", "LSAN_OPTIONS": os.environ.get("LSAN_OPTIONS", ""),
                     **environment}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, variables)
        self.resize(24, 100)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern):
        """Waits until the regular expression is on the screen; returns the match."""
        end = time.monotonic() + TIMEOUT
        while True:
            match = re.search(pattern, self.seen, re.S)
            if match:
                self.seen = self.seen[match.end():]
                return match
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            try:
                data = os.read(self.fd, 65536) if ready else b""
            except OSError:  # the program has ended
                data = b""
            if not data:
                raise AssertionError(f"expected {pattern!r}, on the screen is:\n{self.seen!r}")
            self.seen += CONTROL.sub("", data.decode(errors="replace")).replace("\r", "")

    def run(self, line, pattern=""):
        """Types a line, waits for the pattern and then for the next prompt."""
        self.type(line + "\n")
        match = self.expect(pattern)
        self.expect(r">>> $")
        return match

    def end(self):
        """Waits for the end; returns the exit code, negative for a signal."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            ready, _, _ = select.select([self.fd], [], [], 0.05)
            try:
                if ready and not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        else:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)
