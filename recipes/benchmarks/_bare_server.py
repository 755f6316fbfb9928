"""Run as a script: uvicorn with nothing around the model, to compare a server with.

    python recipes/benchmarks/_bare_server.py keras|litert RUN

A POST's body is one image file; the answer has the probabilities. No form, limits,
checks, metrics or threads: what it can do is what HTTP, OpenCV and the model allow.
"""

import json
import os
import socket
import sys
from pathlib import Path

import kerasdl  # first: with oneDNN, as the server has it


def main(kind, run):
    import cv2
    import numpy as np
    import uvicorn

    predict, size = {"keras": by_keras, "litert": by_litert}[kind](Path(run))
    predict(np.zeros((1, *size, 3), "uint8"))

    async def app(scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        photo = np.frombuffer(body, np.uint8)
        pixels = cv2.resize(cv2.imdecode(photo, cv2.IMREAD_COLOR_RGB), size[::-1])
        content = json.dumps({"probabilities": predict(pixels[None])[0].tolist()})
        length = (b"content-length", str(len(content)).encode())
        headers = [(b"content-type", b"application/json"), length]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content.encode()})

    # Only of a socket that names TCP does asyncio send small packets at once.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    print(f"http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[bound])


def by_keras(run):
    kerasdl.runtime.start()
    import keras

    model = keras.saving.load_model(run / "model.keras")
    return (
        lambda pixels: model.predict_on_batch(pixels.astype("float32")),
        model.input_shape[1:3],
    )


def by_litert(run):
    from ai_edge_litert.interpreter import Interpreter

    lite = Interpreter(str(run / "model.tflite"), num_threads=os.cpu_count())
    lite.allocate_tensors()
    (taken,), (given,) = lite.get_input_details(), lite.get_output_details()

    def predict(pixels):
        lite.set_tensor(taken["index"], pixels)
        lite.invoke()
        return lite.get_tensor(given["index"])

    return predict, tuple(map(int, taken["shape"][1:3]))


if __name__ == "__main__":
    main(*sys.argv[1:])
