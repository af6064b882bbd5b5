"""What the files of a study's folder are called, for those who look into one without torch."""

from __future__ import annotations

SETTINGS, IMAGES, REQUEST = "settings.json", "images.csv", "request.json"
"""All that the rows depend on, a row an image, and what was asked for (`StudyRequest.plain`)."""
GROUPS, REPORT, SUMMARY = "groups.csv", "report.json", "summary.txt"
HTML, PDF = "report.html", "report.pdf"
