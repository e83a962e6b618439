"""What Slack's in-band errors mean for the address. Source: https://docs.slack.dev/reference/methods/chat.postMessage."""

from notifications.channels.port import Failed
from notifications.channels.posting import DEFAULT_WAIT

PROVIDER = "Slack"

# The conversation or person will not come back.
GONE = {
    "channel_not_found": "the channel does not exist, or the app may not see it",
    "user_not_found": "the person does not exist",
    "user_disabled": "the person's Slack account is deactivated",
    "account_inactive": "the account is deactivated",
    "is_archived": "the channel is archived",
    "channel_is_archived": "the channel is archived",
    "no_service": "the webhook was removed",
    "no_service_id": "the webhook was removed",
    "no_team": "the workspace was deleted",
    "team_disabled": "the workspace was disabled",
    "invalid_token": "the webhook was revoked",
    "cannot_dm_bot": "the address is a bot",
}
# The address may be right; somebody must change something first.
PERMANENT = {
    "not_in_channel": "invite the app to the channel",
    "restricted_action": "the workspace restricts who posts there",
    "restricted_action_read_only_channel": "the channel is read-only",
    "restricted_action_thread_only_channel": "the channel takes only threads",
    "action_prohibited": "an administrator of the workspace prohibits it",
    "posting_to_general_channel_denied": "the app may not post to #general",
    "invalid_blocks": "Slack refused the layout",
    "invalid_blocks_format": "Slack refused the layout",
    "invalid_payload": "Slack refused the layout",
    "msg_too_long": "the message is too long",
    "no_text": "the message is empty",
    "message_not_found": "the message to edit was deleted",
    "cant_update_message": "the message to edit is not the app's",
    "edit_window_closed": "the message can no longer be edited",
}
# Ours to put right, so the address stays and the message waits.
OPERATOR = {
    "messages_tab_disabled": "the app's messages tab is off; switch it on in the app's settings",
    "not_authed": "SLACK_BOT_TOKEN is not set",
    "invalid_auth": "Slack refuses SLACK_BOT_TOKEN",
    "token_revoked": "SLACK_BOT_TOKEN was revoked",
    "token_expired": "SLACK_BOT_TOKEN has expired",
    "missing_scope": "the app lacks a scope: install it again from the manifest",
    "not_allowed_token_type": "SLACK_BOT_TOKEN must be a bot token (xoxb-…)",
    "access_denied": "Slack denies the app access",
    "org_login_required": "the workspace is being migrated",
    "ekm_access_denied": "an administrator of the workspace suspended posting",
}
LIMITS = frozenset({"ratelimited", "rate_limited", "rollup_error", "message_limit_exceeded"})
KNOWN = frozenset({*GONE, *PERMANENT, *OPERATOR, *LIMITS})


def failure_of(code: str, *, retry_after: float | None = None) -> Failed:
    """Return the failure that an error code stands for; unknown ones are temporary."""
    if code in LIMITS:
        return Failed(f"Slack limits the rate ({code}).", retry_after=retry_after or DEFAULT_WAIT, provider=PROVIDER)
    if code in GONE:
        return Failed(f"Slack: {GONE[code]} ({code}).", disables=True, provider=PROVIDER)
    if code in PERMANENT:
        return Failed(f"Slack: {PERMANENT[code]} ({code}).", is_permanent=True, provider=PROVIDER)
    if code in OPERATOR:
        return Failed(f"Slack: {OPERATOR[code]} ({code}).", provider=PROVIDER)
    return Failed(f"Slack answered {code or 'nothing readable'}.", provider=PROVIDER)
