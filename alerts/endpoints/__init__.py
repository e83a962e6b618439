"""Where alerts and heartbeats are sent, whatever the vendor."""
