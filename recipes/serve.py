"""Serve a finished run: a page to drop photos on, and TensorFlow Serving's REST API.

    python recipes/serve.py saved_models/cats_dogs

Then open http://127.0.0.1:8501 in a browser, or ask from a program (NAME is that of
the run's folder):

    curl http://127.0.0.1:8501/v1/models/NAME
    curl -F image=@photo.jpg http://127.0.0.1:8501/classify
    (echo '{"signature_name": "serve_bytes", "instances": [{"b64": "'
     base64 -w0 photo.jpg; echo '"}]}') |
        curl -d @- http://127.0.0.1:8501/v1/models/NAME:predict

Of a run of a table the page takes a CSV file, and programs send rows by column:

    curl -F file=@rows.csv http://127.0.0.1:8501/predict
    echo '{"instances": [{"COLUMN": 1}]}' |
        curl -d @- http://127.0.0.1:8501/v1/models/NAME:predict

Of a run of texts the page has a box for one:

    echo '{"instances": ["TEXT"]}' | curl -d @- http://127.0.0.1:8501/v1/models/NAME:predict

Of a run of a detector the page draws boxes and masks; programs get them as JSON:

    curl -F image=@photo.jpg http://127.0.0.1:8501/detect

Of a classifier of photos LiteRT computes, by the run's model.tflite, where that file
answers a few pictures as the Keras model does; else, and of other runs, that model.
/metrics has counts and times for Prometheus. It listens on this machine alone; with
--host 0.0.0.0 anyone on the network reaches it, without a password or encryption: on
the internet it belongs behind a proxy that has both. Ctrl-C stops it: what is under way
is answered. Needs the extra `serve`: pip install -e ".[serve]"

Exit code 0: it was told to stop. 2: a bad argument, or a port that is taken.
"""

import os
import re

import kerasdl as kd


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("run", metavar="RUN", help="run folder, or its model.keras")
    add("--host", default="127.0.0.1", help="default: %(default)s, this machine alone")
    port = "default: %(default)s; 0 takes a free one"
    add("--port", type=int, default=8501, help=port)
    add("--name", help="in the address; default: the folder's")
    for name, default, meaning in (
        ("bytes", 10_000_000, "bytes of a request"),
        ("pixels", 50_000_000, "pixels of photos that are decoded at a time"),
        ("images", 32, "photos of a request"),
        ("waiting", 64, "requests under way; one more is told to try again (503)"),
        ("memory", 300_000_000, "bytes of all bodies and of what they become"),
        ("batch", 32, "photos in a call of the Keras model"),
        ("text", 10_000, "characters of a text"),
    ):
        add(
            f"--max-{name}",
            type=kd.workbench.positive_int,
            default=default,
            metavar="N",
            help=f"{meaning}; default: %(default)s",
        )
    add(
        "--max-wait-ms",
        type=float,
        default=0.0,
        metavar="MS",
        help="how long a photo waits for others to join it, in a call of the Keras "
        "model; default: %(default)s, a call takes those that are there",
    )
    add(
        "--runtime",
        choices=("keras", "litert"),
        help="what computes: model.keras by TensorFlow, or model.tflite by LiteRT; "
        "default: litert, where that file answers as the Keras model does; of other "
        "runs than of classifiers of photos keras alone",
    )
    add("--verbose", action="store_true", help="show requests and TensorFlow's lines")
    args = parser.parse_args(argv)
    if not 0 <= args.port <= 65535:
        parser.error(f"--port must be in [0, 65535]. Received: {args.port}")
    if not 0 <= args.max_wait_ms <= 10_000:
        parser.error(
            f"--max-wait-ms must be in [0, 10000]. Received: {args.max_wait_ms}"
        )
    if args.max_wait_ms and args.runtime == "litert":
        parser.error(
            "--max-wait-ms must be 0 with --runtime litert, which takes one photo at a "
            f"time. Received: {args.max_wait_ms}"
        )
    if args.max_memory < 4 * args.max_bytes:
        parser.error(
            "--max-memory must be at least 4 times --max-bytes. Received: "
            f"{args.max_memory}"
        )
    try:
        run = kd.runs.read_run(args.run)
        args.load = run.of_task(
            {
                "image_classification": photos,
                "tabular": rows,
                "text_classification": texts,
                "translation": texts,
                "detection": boxes,
            }
        )
    except ValueError as error:
        parser.error(str(error))
    if args.runtime == "litert" and args.load is not photos:
        parser.error(
            "--runtime must be keras but for classifiers of photos. Received: litert, "
            f"for {run.path}, a run of {run.task}"
        )
    args.run = run.path
    args.name = args.name or args.run.resolve().name
    if not re.fullmatch(r"[\w.-]+", args.name, re.ASCII):
        parser.error(
            f"--name must be letters, digits, '_', '-' and '.'. Received: {args.name!r}"
        )
    return args


def classifier(args):
    """The model, which answers with the classes of photos."""
    predictor = kd.Predictor.load(args.run)
    runtime = "keras" if args.max_wait_ms else args.runtime
    lite = kd.serving.lite_model(args.run, predictor, runtime)
    return kd.serving.ServedModel(
        predictor, args.name, args.max_batch, args.max_wait_ms, lite
    )


def photos(args):
    """The application of a classifier of photos, and what computes."""
    model = classifier(args)
    app = kd.serving.create_app(
        model,
        max_bytes=args.max_bytes,
        max_pixels=args.max_pixels,
        max_images=args.max_images,
        max_waiting=args.max_waiting,
        max_memory=args.max_memory,
    )
    return app, model.runtime


def rows(args):
    """The application of a table's model, and what computes."""
    predictor = kd.tabular.Predictor.load(args.run)
    app = kd.serving.create_table_app(
        predictor,
        args.name,
        max_bytes=args.max_bytes,
        max_waiting=args.max_waiting,
        max_memory=args.max_memory,
    )
    return app, "keras"


def texts(args):
    """The application of what answers texts, and what computes."""
    app = kd.serving.create_text_app(
        kd.load(args.run),
        args.name,
        max_text=args.max_text,
        max_bytes=args.max_bytes,
        max_waiting=args.max_waiting,
        max_memory=args.max_memory,
    )
    return app, "keras"


def boxes(args):
    """The application of a detector, and what computes."""
    detector = kd.detection.Detector.load(args.run)
    app = kd.serving.create_box_app(
        detector,
        args.name,
        max_bytes=args.max_bytes,
        max_pixels=args.max_pixels,
        max_images=args.max_images,
        max_waiting=args.max_waiting,
        max_memory=args.max_memory,
    )
    return app, "keras"


def main(argv=None):
    args = parse_args(argv)
    # Memory of large photos that goes back at once: of smaller blocks much is kept.
    os.environ.setdefault("PILLOW_BLOCK_SIZE", "64m")
    kd.runtime.start(verbose=args.verbose)
    bound = kd.serving.bind(args.host, args.port)  # a taken port is told before loading
    app, runtime = args.load(args)

    def on_ready():
        print(f"{args.name} on {server.url} (Ctrl-C stops)", flush=True)
        if not server.is_loopback:
            print("Anyone on the network reaches it, without a password.", flush=True)
        if runtime == "litert":
            print("LiteRT computes, by model.tflite", flush=True)

    server = kd.serving.Server(app, bound, on_ready, access_log=args.verbose)
    server.run_until_stopped()
    print("stopped")


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
