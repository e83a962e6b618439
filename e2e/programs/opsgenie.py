"""Drives Opsgenie's Python SDK. Arguments: the address, the key, what to do, the alias, the title."""

import sys

import opsgenie_sdk

address, key, action, alias, title = sys.argv[1:]
configuration = opsgenie_sdk.configuration.Configuration()
configuration.host = address
configuration.api_key["Authorization"] = key
configuration.api_key_prefix["Authorization"] = "GenieKey"
alerts = opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration=configuration))
named = {"identifier": alias, "identifier_type": "alias"}

if action == "create":
    body = opsgenie_sdk.CreateAlertPayload(message=title, alias=alias, priority="P1", tags=["env:prod"])
    print(alerts.create_alert(create_alert_payload=body).request_id)
elif action == "status":
    found = alerts.get_request_status(request_id=alias).data
    print(found.is_success, found.action, found.alert_id, found.alias, sep="\n")
elif action == "get":
    found = alerts.get_alert(identifier=alias).data
    print(found.status, found.acknowledged, found.priority, found.alias, found.created_at is not None, sep="\n")
elif action == "list":
    print(*(alert.alias for alert in alerts.list_alerts(query="status: open").data), sep="\n")
elif action == "acknowledge":
    body = opsgenie_sdk.AcknowledgeAlertPayload(user="ann", note="On it")
    print(alerts.acknowledge_alert(**named, acknowledge_alert_payload=body).request_id)
elif action == "note":
    body = opsgenie_sdk.AddNoteToAlertPayload(user="ann", note="Looks like the logs")
    print(alerts.add_note(**named, add_note_to_alert_payload=body).request_id)
elif action == "close":
    body = opsgenie_sdk.CloseAlertPayload(user="ann", note="Cleaned up")
    print(alerts.close_alert(**named, close_alert_payload=body).request_id)
elif action == "ping":
    heartbeats = opsgenie_sdk.HeartbeatApi(opsgenie_sdk.ApiClient(configuration=configuration))
    heartbeats.ping(name=alias)
    print(heartbeats.get_heartbeat(name=alias).data.expired)
