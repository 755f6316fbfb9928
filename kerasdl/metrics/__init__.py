"""Metrics that Keras lacks."""

from .fbeta import FBeta
