"""Programs run by a service: our own server, SandboxFusion or Piston."""

from sandboxes.remote.sandbox import RemoteSandbox
from sandboxes.remote.transport import Patience

__all__ = ["Patience", "RemoteSandbox"]
