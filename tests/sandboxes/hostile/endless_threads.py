"""Answers, and leaves threads that sleep for ever and that the interpreter waits for."""

import threading
import time

for _ in range(4):
    threading.Thread(target=time.sleep, args=(10**6,)).start()
print(sum(map(int, input().split())), flush=True)
