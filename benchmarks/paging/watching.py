"""Print how far everything is, a line every 100 ms: `python -m benchmarks.paging.watching`."""

import json
import time

if __name__ == "__main__":
    import django

    django.setup()
    from benchmarks.paging.steps import progress

    while True:
        print(json.dumps(progress()), flush=True)
        time.sleep(0.1)
