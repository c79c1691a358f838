"""Runs a command in a real pseudo-terminal, as a shell with job control would.

Usage: terminal.py job|leader ROWS COLUMNS COMMAND...
job: the command is in a process group of its own in the foreground of a session that this process leads, as a shell does.
leader: the command leads the session itself, as the first process of `docker run -t` does.

Reads orders from standard input and writes what happens to standard output, both as lines of JSON. Ends with the command, and
kills its group when nobody gives orders any more.
"""

import base64
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios


def tell(**event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def resize(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def start(role, command, master, slave):
    """Forks the command. It waits for its place in the terminal before it begins."""
    ready, go = os.pipe()
    if role == "job":
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        # A shell must survive what happens to its terminal, and may set who is in the foreground at any time.
        for name in ("SIGHUP", "SIGTTOU", "SIGINT", "SIGQUIT", "SIGTSTP"):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        for number in range(1, 32):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_DFL)
        os.close(go)
        if role == "leader":
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        else:
            os.setpgid(0, 0)
        os.read(ready, 1)
        for number in (0, 1, 2):
            os.dup2(slave, number)
        os.closerange(3, 64)
        try:
            os.execvp(command[0], command)
        finally:
            os._exit(127)
    os.close(ready)
    if role == "job":
        os.setpgid(pid, pid)
        os.tcsetpgrp(slave, pid)
        # The leader keeps it open, or the terminal would be gone with the command.
    else:
        os.close(slave)
    os.write(go, b"x")
    os.close(go)
    return pid


def main():
    role, rows, columns, *command = sys.argv[1:]
    master, slave = pty.openpty()
    resize(master, int(rows), int(columns))
    children, child_ended = os.pipe()
    os.set_blocking(child_ended, False)
    signal.set_wakeup_fd(child_ended)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pid = start(role, command, master, slave)
    tell(started=pid)
    orders = b""
    watched = {0, children, master}
    is_running = True
    while is_running:
        readable, _, _ = select.select(watched, [], [])
        if master in readable:
            is_open = forward(master)
            if not is_open:
                watched.discard(master)
        if children in readable:
            os.read(children, 4096)
            is_running = not report(pid, master if master in watched else None)
        if 0 in readable:
            chunk = os.read(0, 65536)
            if chunk == b"":
                os.killpg(pid, signal.SIGKILL)
                return
            *lines, orders = (orders + chunk).split(b"\n")
            for line in lines:
                follow(json.loads(line), pid, role, master, slave, watched)


def forward(master):
    try:
        output = os.read(master, 65536)
    except OSError:
        output = b""
    if output != b"":
        tell(output=base64.b64encode(output).decode())
    return output != b""


def report(pid, master):
    """Tells what became of the command, after all that it has said. Whether it has ended."""
    while True:
        found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if found == 0:
            return False
        if os.WIFSTOPPED(status):
            tell(stopped=signal.Signals(os.WSTOPSIG(status)).name)
        elif not os.WIFCONTINUED(status):
            while master is not None and select.select([master], [], [], 0)[0] and forward(master):
                pass
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
            tell(ended={"code": code, "signal": None if code is not None else signal.Signals(os.WTERMSIG(status)).name})
            return True


def follow(order, pid, role, master, slave, watched):
    match order["do"]:
        case "type":
            os.write(master, base64.b64decode(order["text"]))
        case "signal":
            number = getattr(signal, order["name"])
            (os.killpg if order["to"] == "group" else os.kill)(pid, number)
        case "resize":
            resize(master, order["rows"], order["columns"])
        case "foreground":
            os.tcsetpgrp(slave, pid)
            os.killpg(pid, signal.SIGCONT)
        case "hang up":
            watched.discard(master)
            os.close(master)
            if role == "job":
                os.killpg(pid, signal.SIGHUP)


main()
