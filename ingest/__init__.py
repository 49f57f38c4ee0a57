"""Corpus and sources → index; the only writer."""
