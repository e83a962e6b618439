"""Channels: how a message reaches an address, one folder each; `port` says what a channel offers."""
