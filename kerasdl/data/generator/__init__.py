"""The Keras book's ImageDataGenerator: its arguments and pixels, on threads."""

from .image_data_generator import ImageDataGenerator

__all__ = [
    "ImageDataGenerator",
]
