"""Trained nets as models of Keras, and their weights back."""

from anynet.interop.needed import need

need("keras")

from anynet.keras.keras_model import from_model, to_model

__all__ = ["from_model", "to_model"]
