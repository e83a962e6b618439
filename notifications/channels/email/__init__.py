"""E-mail: sending over SMTP, one-click answers, and inbound mail."""
