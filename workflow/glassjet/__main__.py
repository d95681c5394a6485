"""`python -m glassjet` is `glassjet`."""

import sys

from glassjet.cli.main import main

sys.exit(main())
