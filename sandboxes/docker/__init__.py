"""The docker backend: warm containers, each with a supervisor of ours inside."""

from sandboxes.docker.backend import DockerBackend
from sandboxes.docker.image import build_image

__all__ = ["DockerBackend", "build_image"]
