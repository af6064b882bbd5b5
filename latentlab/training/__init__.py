"""One recipe a file, and the loop they share."""
