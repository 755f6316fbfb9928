"""A finished run behind HTTP: TensorFlow Serving's REST paths and an upload page."""

from . import _extra
from .app import create_app
from .box_app import create_box_app
from .lite_model import LiteModel, lite_model
from .serve import serve
from .served_model import ServedModel
from .server import Server, bind
from .table_app import create_table_app
