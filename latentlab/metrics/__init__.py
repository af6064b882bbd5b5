"""Rates with intervals, distances, and the evaluations made of them."""
