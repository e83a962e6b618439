"""Searches through splunk-sdk. Arguments: the port, the token, and searches; prints a JSON list of what each found."""

import json
import sys

from splunklib.binding import HTTPError
from splunklib.client import connect
from splunklib.results import JSONResultsReader, Message

port, token, *searches = sys.argv[1:]
service = connect(host="127.0.0.1", port=int(port), scheme="http", splunkToken=token)


def found(search: str) -> object:
    """Rows, messages, or the status and words of a refusal."""
    try:
        given = json.loads(search)
        stream = service.jobs.export(given.pop("search"), output_mode="json", **given)
    except HTTPError as error:
        return {"status": error.status, "body": error.body.decode()}
    reader = JSONResultsReader(stream)
    rows = [f"{one.type}: {one.message}" if isinstance(one, Message) else one for one in reader]
    return {"rows": rows, "is_preview": reader.is_preview}


try:
    about = {"version": list(service.splunk_version), "is_v1": service.disable_v2_api}
except HTTPError as error:
    about = {"status": error.status}
print(json.dumps({**about, "found": [found(search) for search in searches]}))
