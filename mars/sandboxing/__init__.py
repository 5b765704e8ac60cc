"""The sandboxes as recipes and the command line speak of them. Judging itself is in `sandboxes`."""
