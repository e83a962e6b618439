"""Amazon SNS: SMS without receipts."""
