"""A program to be signalled: it counts what reaches it, ends only when it is told to, and says so line by line.

Orders on standard input: `end CODE`, `die SIGNAL`, `ask` (what was counted so far).
"""

import json
import os
import select
import signal
import sys

counts = {}


def say(*words):
    # Whole, past the buffers: it is called out of signal handlers, too.
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


def count(number, _):
    name = signal.Signals(number).name
    counts[name] = counts.get(name, 0) + 1
    say("got", name, counts[name])


def orders():
    """Lines of standard input. A signal that comes just before a read that waits would be handled only after it: select sees it."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    rest = b""
    while True:
        readable, _, _ = select.select([0, told], [], [])
        if told in readable:
            os.read(told, 4096)
        if 0 not in readable:
            continue
        try:
            read = os.read(0, 4096)
        except OSError:
            return
        if not read:
            return
        *lines, rest = (rest + read).split(b"\n")
        yield from (line.decode() for line in lines)


for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"):
    signal.signal(getattr(signal, name), count)
waiting = orders()
say("ready", os.getpid(), os.environ.get("TOKEN_LEASE_ID"))
for line in waiting:
    match line.split():
        case ["end", code]:
            sys.exit(int(code))
        case ["die", name]:
            signal.signal(getattr(signal, name), signal.SIG_DFL) if name != "SIGKILL" else None
            os.kill(os.getpid(), getattr(signal, name))
        case ["ask"]:
            say("counted", json.dumps(counts, sort_keys=True))
# Whoever gave the orders has gone, or the terminal: it goes on until it is killed.
while True:
    signal.pause()
