"""A finished run behind HTTP: TensorFlow Serving's REST paths and an upload page."""

from typing import TYPE_CHECKING

from kerasdl._optional import missing, stand_in

_PACKAGES = ("starlette", "python_multipart", "prometheus_client", "uvicorn", "h11")

if TYPE_CHECKING or not missing(_PACKAGES):
    from .app import create_app
    from .box_app import create_box_app
    from .lite_model import LiteModel, lite_model
    from .serve import serve
    from .served_model import ServedModel
    from .server import Server, bind
    from .table_app import create_table_app
    from .text_app import create_text_app
else:
    create_app = create_table_app = stand_in(missing(_PACKAGES)[0], "serve")
    create_box_app = create_text_app = create_app
    LiteModel = lite_model = ServedModel = Server = bind = serve = create_app

__all__ = [
    "LiteModel",
    "ServedModel",
    "Server",
    "bind",
    "create_app",
    "create_box_app",
    "create_table_app",
    "create_text_app",
    "lite_model",
    "serve",
]
