"""Run a function of this package inside Django, on the database of the environment, and print what it returns.

`python -m benchmarks.inside MODULE.FUNCTION [ARGUMENT …]`
"""

import json
import sys
from importlib import import_module


def main() -> None:
    """Set Django up before anything of ours is imported."""
    import django

    django.setup()
    module, _, step = sys.argv[1].rpartition(".")
    print(json.dumps(getattr(import_module(f"benchmarks.{module}"), step)(*sys.argv[2:])))


if __name__ == "__main__":
    main()
