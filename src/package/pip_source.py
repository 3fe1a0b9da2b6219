"""`pip download` of one package's source archive, and no more than that.

    python3 -c THIS FOLDER download ...     (its arguments are pip's)

pip asks a source package for its metadata after downloading it, which runs the package's code and can
compile all of it (numpy). The file is all that is wanted: it is put into FOLDER, and done. A pip that is made
otherwise goes on as usual. Of the library (pip.py) and of the SDK (wheel.py).
"""
import os
import shutil
import sys

if sys.path and sys.path[0] == "":
    del sys.path[0]
folder = sys.argv.pop(1)


def keep(self, *arguments, **keywords):
    os.makedirs(folder, exist_ok=True)
    shutil.copy(self.req.local_file_path, os.path.join(folder, self.req.link.filename))
    os._exit(0)


try:
    from pip._internal.distributions.sdist import SourceDistribution
    SourceDistribution.prepare_distribution_metadata
    SourceDistribution.prepare_distribution_metadata = keep
except (ImportError, AttributeError):
    pass
from pip._internal.cli.main import main  # noqa: E402

sys.exit(main())
