"""The packages of the extra `serve`; what is missing is an error that names it."""

from kerasdl._optional import require

for _package in ("starlette", "python_multipart", "prometheus_client", "uvicorn"):
    require(_package, "serve")
