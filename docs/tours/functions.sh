# What the commands of the tours share. They need Bash, curl, and the Python of `make run`.

SERVER=${SERVER:-http://127.0.0.1:8000}
API=$SERVER/api/v1
TOKENS=$(mktemp -d)
trap 'rm -rf "$TOKENS"' EXIT

# as NAME: who asks from now on, of the demo's people. A sign-in holds for 15 minutes.
as() {
  WHO=$1
  curl -sS "$API/auth/token/" -d "email=$1@demo.example" -d password=four-green-lamps | pick access > "$TOKENS/$1"
}

# get PATH, post PATH JSON, patch PATH JSON: print the answer.
get() { curl -sS "$API/$1" -H "Authorization: Bearer $(cat "$TOKENS/$WHO")"; }
post() { _send POST "$@"; }
patch() { _send PATCH "$@"; }
_send() {
  curl -sS -X "$1" "$API/$2" -H "Authorization: Bearer $(cat "$TOKENS/$WHO")" -H "Content-Type: application/json" -d "${3:-{\}}"
}

# pick PATH…: of the JSON on standard input, what is at each path, such as results.0.title; `*` stands
# for each row, name=Storefront for those with that name.
pick() {
  "${PYTHON:-.venv/bin/python}" -c '
import json, sys

def found(value, path):
    name, _, rest = path.partition(".")
    if not path:
        yield value
    elif name == "*" or "=" in name:
        key, _, wanted = name.partition("=")
        for one in value:
            if name == "*" or one.get(key) == wanted:
                yield from found(one, rest)
    elif isinstance(value, list):
        if int(name) < len(value):
            yield from found(value[int(name)], rest)
    elif isinstance(value, dict) and name in value:
        yield from found(value[name], rest)

text = sys.stdin.read()
try:
    given = json.loads(text)
except ValueError:
    sys.exit(text)
missing = [path for path in sys.argv[1:] if not list(found(given, path)) and "*" not in path]
for path in sys.argv[1:]:
    for one in found(given, path):
        print(one if isinstance(one, str) else json.dumps(one))
if missing:
    print(f"There is no {missing[0]} in {text[:2000]}", file=sys.stderr)
' "$@"
}

# wait_for TEXT COMMAND…: repeat the command, for up to some minutes, until it prints the text; then print what it printed.
wait_for() {
  local wanted=$1 said='' tries=0
  shift
  until said=$("$@" 2>/dev/null) && [[ $said == *"$wanted"* ]]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then
      printf 'Waited in vain for “%s”; there was: %s\n' "$wanted" "$said" >&2
      return 1
    fi
    sleep 0.4
  done
  printf '%s\n' "$said"
}
