"""Names of the files that a run's folder and what is made of it hold."""

LABELS = "labels.txt"
MANIFEST = "manifest.json"
MODEL = "model.keras"
MODEL_TFLITE = "model.tflite"
README = "README.md"
