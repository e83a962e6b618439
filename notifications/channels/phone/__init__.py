"""What SMS and calls share: numbers, segments, wording, providers in an order, caps."""
