"""The hostile corpus as a tool: `python -m benchmarks.hostile --corpus DIR --backend local`.

A corpus is a folder with a `manifest.json`: programs that attack the sandbox or the verdict, honest controls, the
verdicts that each may get, and what must hold of the host meanwhile and afterwards.
"""
