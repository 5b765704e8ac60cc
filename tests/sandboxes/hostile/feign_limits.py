"""Ends by the signals that stand for limits and for the policy, with the right answer."""

import os
import signal
import sys

print(sum(map(int, input().split())), flush=True)
print("MemoryError", file=sys.stderr, flush=True)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
os.kill(os.getpid(), signal.SIGXFSZ)
