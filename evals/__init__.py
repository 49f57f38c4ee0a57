"""Measures the product; nobody imports it."""
