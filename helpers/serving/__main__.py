"""`python -m helpers.serving --port 8000`: the server of 18, whose parts wait in `helpers.old.serving`."""

import sys

from helpers.old.serving.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
