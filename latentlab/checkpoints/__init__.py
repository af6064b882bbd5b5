"""Read and write checkpoints.

`load` opens one by bundled name or path, `locate` reads its configuration only, `describe` says in one
record what it is, `save` writes one.
"""

from latentlab.checkpoints.describe import Description, describe
from latentlab.checkpoints.native import Checkpoint, Located, load, locate, save

__all__ = ["Checkpoint", "Description", "Located", "describe", "load", "locate", "save"]
