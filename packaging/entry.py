"""Where a bundle starts: the command ``latentlab``, and what it starts in processes of its own.

Those are started as ``python -m latentlab.jobs FOLDER``, or ``python -P FILE`` with a file of the package. In
a bundle the Python is the bundle's own program, so both are answered here.
"""

import multiprocessing
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    multiprocessing.freeze_support()
    option, what = (*sys.argv[1:3], "", "")[:2]
    if option == "-m" and what.partition(".")[0] == "latentlab":
        del sys.argv[1:3]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    elif option == "-P" and "latentlab" in Path(what).parts:
        del sys.argv[1:3]
        runpy.run_path(str(Path(what).with_suffix(".py")), run_name="__main__")  # bundled modules say .pyc
    else:
        from latentlab.cli.main import main

        main()
