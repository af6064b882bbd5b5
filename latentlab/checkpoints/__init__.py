"""Read and write checkpoints. `load` opens one by bundled name or path; `locate` reads its config only."""

from latentlab.checkpoints.native import Checkpoint, Located, load, locate, save

__all__ = ["Checkpoint", "Located", "load", "locate", "save"]
