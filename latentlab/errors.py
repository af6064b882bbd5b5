"""The errors that LatentLab raises on purpose.

Every message says which file or setting, what was expected, what was found, and what to do. The window
shows the message as it is; the command line prints it on one line and exits with status 2.
"""

from __future__ import annotations


class LatentLabError(Exception):
    """Something a person can put right: the base of every error raised on purpose."""


class CheckpointError(LatentLabError):
    """A checkpoint that is missing, damaged, of another format, or does not fit its configuration."""


class ImageError(LatentLabError):
    """A picture that cannot be read or is of an unusable size or kind."""


class DataError(LatentLabError):
    """An image set that is missing, empty, or whose parts do not fit together."""


class NoSplitError(DataError):
    """An image set that is sound and has no image in the split that was asked for."""


class SettingsError(LatentLabError):
    """A setting, option or argument outside what is allowed."""


class Cancelled(LatentLabError):  # noqa: N818 - it is a request that was honoured, not a fault
    """The work was stopped because its owner asked for it."""
