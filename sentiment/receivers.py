"""Connects this room to the signals above it."""
