"""Files of boxes: read into `Annotations` and written."""
