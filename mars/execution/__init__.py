"""How reward sources are run: in line, in watched threads, on an event loop, or in killable worker processes."""
