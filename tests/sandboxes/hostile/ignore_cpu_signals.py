"""Ignores the signals that tell of used-up CPU time, raises its own limit, and computes on."""

import contextlib
import resource
import signal

for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
with contextlib.suppress(OSError, ValueError):
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(sum(map(int, input().split())), flush=True)
while True:
    pass
