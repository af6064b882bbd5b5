"""Try the reading of checkpoints with damaged and hostile files: ``python -m latentlab.checkpoints.fuzz``."""
