"""Generate a client and compile it. Arguments: the OpenAPI document, the package to make."""

import compileall
import subprocess
import sys
from pathlib import Path

document, target = sys.argv[1:]
generator = Path(sys.executable).with_name("openapi-python-client")
command = [str(generator), "generate", "--path", document, "--output-path", target, "--meta", "none"]
done = subprocess.run(command, capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stdout + done.stderr)
if not compileall.compile_dir(target, quiet=1):
    sys.exit("What was generated does not compile.")
