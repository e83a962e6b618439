"""The README's first tour by a generated client. Arguments: where it lies, the server, an administrator's token."""

import sys
import time
from io import BytesIO

folder, address, token = sys.argv[1:]
sys.path.insert(0, folder)

from incident_response_client.api.auth import auth_register_create, auth_token_create  # noqa: E402
from incident_response_client.api.incidents import (  # noqa: E402
    incidents_create,
    incidents_partial_update,
    timeline_create,
    timeline_list,
)
from incident_response_client.api.metrics import metrics_sla  # noqa: E402
from incident_response_client.client import AuthenticatedClient, Client  # noqa: E402
from incident_response_client.models import (  # noqa: E402
    CommentRequest,
    CredentialsRequest,
    IncidentCreateRequest,
    PatchedIncidentUpdateRequest,
    RegistrationRequest,
    SeverityEnum,
    StatusEnum,
    VisibilityEnum,
)
from incident_response_client.types import File  # noqa: E402

email, password = f"generated{time.monotonic_ns()}@example.org", "tall-blue-kettle"
anybody = Client(base_url=address, raise_on_unexpected_status=True)
auth_register_create.sync(client=anybody, body=RegistrationRequest(email=email, password=password, name="Generated"))
pair = auth_token_create.sync(client=anybody, body=CredentialsRequest(email=email, password=password))
reporter = AuthenticatedClient(base_url=address, token=pair.access, raise_on_unexpected_status=True)
admin = AuthenticatedClient(base_url=address, token=token, prefix="Token", raise_on_unexpected_status=True)

picture = File(payload=BytesIO(b"The lift says: door.\n"), file_name="lift.txt", mime_type="text/plain")
report = IncidentCreateRequest(title="Lift is stuck", severity=SeverityEnum.HIGH, attachments=[picture])
incident = incidents_create.sync(client=reporter, body=report)
reference = incident.reference
first = incidents_partial_update.sync(
    reference, client=admin, body=PatchedIncidentUpdateRequest(status=StatusEnum.ACKNOWLEDGED)
)
told = CommentRequest(message="On the way.", visibility=VisibilityEnum.PUBLIC)
timeline_create.sync(reference, client=admin, body=told)
last = incidents_partial_update.sync(
    reference,
    client=admin,
    body=PatchedIncidentUpdateRequest(status=StatusEnum.RESOLVED, note="Door sensor cleaned."),
)
events = timeline_list.sync(reference, client=reporter).results
metrics = metrics_sla.sync(client=admin, q="lift")
kinds = ",".join(event.kind for event in events)
print(first.status, last.status, kinds, len(incident.attachments))
assert metrics.total >= 1, metrics
