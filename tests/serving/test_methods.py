import pytest

BASE = "/v1/models/animals"


def test_what_is_not_there_says_why(client):
    for path, reason in [
        (f"{BASE}/labels/stable:predict", "versions have no labels on this server"),
        (
            f"{BASE}/versions/01:predict",
            "This server has /v1/models/animals/versions/1",
        ),
        (f"{BASE}:classify", ":classify takes tf.Example, and the model has no such"),
        (f"{BASE}:explain", "a model answers to :predict alone"),
    ]:
        assert reason in client.predict({}, path).content["error"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", "GET, HEAD, OPTIONS"),
        ("/metrics", "GET, HEAD, OPTIONS"),
        ("/v1/models", "GET, HEAD, OPTIONS"),
        (f"{BASE}/metadata", "GET, HEAD, OPTIONS"),
        ("/classify", "OPTIONS, POST"),
        (f"{BASE}:predict", "OPTIONS, POST"),
    ],
)
def test_head_and_options_are_answered(client, path, allowed):
    answer = client.ask("OPTIONS", path)
    assert (answer.status, answer.headers["Allow"]) == (204, allowed)
    assert client.ask("DELETE", path).headers["Allow"] == allowed
    head = client.ask("HEAD", path)
    if "GET" in allowed:
        whole = client.get(path)
        assert (head.status, head.content) == (200, b"")
        for name in ("Content-Type", "X-Content-Type-Options"):
            assert head.headers[name] == whole.headers[name]
    else:
        assert (head.status, head.headers["Allow"]) == (405, allowed)


def test_the_models_are_listed(client):
    assert client.get("/v1/models").content == {"models": ["animals"]}
