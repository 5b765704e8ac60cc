"""The only code that runs inside a sandbox, or supervises one from next to it. Standard library alone."""
