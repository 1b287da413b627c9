"""Exclusion of captures and of what breaks them."""

from threading import Lock

CAPTURING = Lock()
"""Held while a graph is captured, and by calls that wait for the whole device: CUDA ends all captures then.

A finalizer, which garbage collection may call during a capture, must not wait for it.
"""
