"""Twilio: SMS, calls, and the webhooks by which it reports and answers."""
