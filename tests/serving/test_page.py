import io
from base64 import b64decode

from PIL import Image

from kerasdl.classification import Predictor


def test_photos_are_answered_with_bars(browser, client, photo, tmp_path):
    files = [tmp_path / "first.png", tmp_path / "<b>second.jpg", tmp_path / "no.jpg"]
    files[0].write_bytes(photo(1, kind="PNG"))
    files[1].write_bytes(photo(2))
    files[2].write_bytes(b"no photo at all")
    browser.open(client.server.url)
    browser.wait("document.title == 'animals'")
    browser.choose("#files", files)
    browser.wait("document.querySelectorAll('.waiting').length == 0")
    browser.wait("state.textContent == '3 of 3 answered.'")
    cards = browser.run(
        """[...document.querySelectorAll('#photos > li')].map(card => ({
            name: card.querySelector('h3').textContent,
            image: card.querySelector('img')?.naturalWidth,
            answer: card.querySelector('p').textContent,
            rows: [...card.querySelectorAll('ol li')].map(row => ({
                label: row.querySelector('span').textContent,
                share: row.querySelector('.share').textContent,
                bar: row.querySelector('.bar div').getBoundingClientRect().width
                    / row.querySelector('.bar').getBoundingClientRect().width,
            })),
        }))"""
    )
    assert [card["name"] for card in cards] == [file.name for file in files[::-1]]
    for card, file in zip(cards[1:], files[1::-1], strict=True):
        expected = client.classify(file.read_bytes()).content["images"][0]
        assert card["answer"] == expected["labels"][0]
        assert card["image"] == 30
        rows, top = card["rows"], expected["top"]
        assert [row["label"] for row in rows] == [each["label"] for each in top]
        assert len(rows) == 5
        for row, each in zip(rows, top, strict=True):
            assert row["share"] == f"{100 * each['probability']:.1f} %"
            assert abs(row["bar"] - each["probability"]) < 0.01
    assert cards[0]["answer"].startswith("Not answered: not an image")
    assert cards[0]["rows"] == [] and "image" not in cards[0]
    # The one complaint is the answer 400 to what is no photo.
    texts = [event["params"]["entry"]["text"] for event in browser.complaints()]
    assert len(texts) == 1 and "status of 400" in texts[0]


def test_every_control_has_a_name_and_a_phone_shows_the_whole_width(
    browser, client, photo, tmp_path
):
    browser.screen(360, 740)
    browser.open(client.server.url)
    browser.wait("document.title == 'animals'")
    file = tmp_path / f"{'a_long_name_' * 15}.jpg"
    file.write_bytes(photo(3))
    browser.choose("#files", [file])
    browser.wait("state.textContent == '1 of 1 answered.'")
    assert browser.run("document.documentElement.scrollWidth") == 360
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    names = {}
    for node in nodes:
        role = node.get("role", {}).get("value")
        names.setdefault(role, []).append(node.get("name", {}).get("value"))
    assert all(names["image"]) and all(names["heading"])
    assert "Most probable classes" in names["list"]
    label = browser.run("document.getElementById('files').labels[0].innerText")
    assert "Choose photos" in label
    width = "document.querySelector('#photos img').getBoundingClientRect().height"
    small = browser.run(width)
    for factor in (2, 1):  # a click shows it large, the next one small again
        browser.run("document.querySelector('#photos img').click()")
        browser.wait(f"({width} >= {2 * small}) == {str(factor == 2).lower()}")
        assert browser.run("document.documentElement.scrollWidth") == 360
    assert browser.complaints() == []


def test_a_dropped_photo_is_answered_and_what_is_too_large_is_not_sent(
    browser, run_server, predictor
):
    with run_server(predictor, max_bytes=2000) as client:
        browser.open(client.server.url)
        browser.wait("document.title == 'animals'")
        browser.run(
            """new Promise(done => {
                const canvas = document.createElement('canvas');
                canvas.width = canvas.height = 9;
                canvas.getContext('2d');
                canvas.toBlob(blob => {
                    const data = new DataTransfer();
                    data.items.add(new File([blob], 'dropped.png'));
                    data.items.add(new File([new Uint8Array(2001)], 'large.png'));
                    document.body.dispatchEvent(
                        new DragEvent('drop', {dataTransfer: data, bubbles: true}));
                    done();
                });
            })"""
        )
        browser.wait("state.textContent == '2 of 2 answered.'")
        answers = browser.run(
            "[...document.querySelectorAll('#photos > li > p')].map(p => p.innerText)"
        )
        assert answers[0] == "The file is larger than 0.002 MB."
        assert answers[1] in client.model.class_names
        assert browser.complaints() == []


def test_all_labels_above_their_thresholds_are_answers(
    browser, run_server, predictor, photo, tmp_path
):
    file = tmp_path / "photo.png"
    file.write_bytes(photo(kind="PNG"))
    (row,) = predictor.predict(file).probabilities
    _, third, second, _ = sorted(row)[-4:]
    names = [name for _, name in sorted(zip(row, predictor.class_names, strict=True))]
    for threshold, expected in ((0.99, []), ((third + second) / 2, names[:-3:-1])):
        args = predictor.model, predictor.class_names, predictor.image_size
        with run_server(Predictor(*args, thresholds=threshold)) as client:
            browser.open(client.server.url)
            browser.wait("document.title == 'animals'")
            about = browser.run("document.getElementById('about').textContent")
            assert about.startswith("Finds any of 6 labels in a photo: ant, bee")
            browser.choose("#files", [file])
            browser.wait("state.textContent == '1 of 1 answered.'")
            answer = browser.run("document.querySelector('.answer').textContent")
            marked = browser.run(
                "[...document.querySelectorAll('.is-answer span:first-child')]"
                ".map(span => span.textContent)"
            )
            assert (answer, marked) == (", ".join(expected) or "no label", expected)


def test_a_server_that_has_gone_is_told(
    browser, run_server, predictor, photo, tmp_path
):
    file = tmp_path / "photo.jpg"
    file.write_bytes(photo())
    with run_server(predictor) as client:
        browser.open(client.server.url)
        browser.wait("document.title == 'animals'")
    browser.choose("#files", [file])
    browser.wait("state.textContent == '1 of 1 answered.'")
    answer = browser.run("document.querySelector('#photos > li > p').innerText")
    assert answer == "The server does not answer."
    picture = browser.call("Page.captureScreenshot")["data"]
    assert Image.open(io.BytesIO(b64decode(picture))).size[0] > 300
