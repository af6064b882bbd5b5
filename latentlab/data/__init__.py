"""Image sets with attributes."""
