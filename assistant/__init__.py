"""Answers questions on the Kubernetes source; every statement cites the lines it rests on."""

__version__ = "0.1.0"
