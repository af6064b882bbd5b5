"""What is open and how it is set: evented state without Qt and without torch."""
