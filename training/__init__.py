"""Trains the bundled embedding model; needed to make the model again, never to use it."""
