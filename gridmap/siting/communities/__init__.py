"""Communities that no longer fit their households, their workers or their services, and what they could become."""
