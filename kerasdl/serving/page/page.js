"use strict";

const AT_ONCE = 4; // photos that are sent at the same time: the server batches them
const TRIES = 5; // of a photo while the server has too much to do
const state = document.getElementById("state");
const drop = document.getElementById("drop");
const waiting = [];
let sending = 0;
let done = 0;
let total = 0;
let model = { max_bytes: Infinity };

const ready = fetch("model")
  .then((response) => response.json())
  .then((found) => {
    model = found;
    const names = model.class_names.slice(0, 12).join(", ");
    const more = model.class_names.length > 12 ? ", ..." : "";
    document.title = model.name;
    document.getElementById("name").textContent = model.name;
    const count = model.class_names.length;
    let about = `Tells ${count} classes apart`;
    if (model.is_multi_label) about = `Finds any of ${count} labels in a photo`;
    if (model.task === "detection") about = `Finds objects of ${count} classes`;
    document.getElementById("about").textContent = `${about}: ${names}${more}`;
  })
  .catch(() => {}); // the first photo tells that the server is away

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function add(files) {
  for (const file of files) {
    const card = element("li");
    const image = element("img");
    image.alt = `the photo ${file.name}`;
    image.src = URL.createObjectURL(file);
    image.onload = () => URL.revokeObjectURL(image.src);
    const photo = element("label", "", "photo"); // a click shows it large
    const large = element("input");
    large.type = "checkbox";
    large.setAttribute("aria-label", `${image.alt}, large`);
    photo.append(large, image);
    image.onerror = () => {
      URL.revokeObjectURL(image.src);
      photo.remove();
    };
    const answer = element("p", "waiting", "note");
    card.append(photo, element("h3", file.name), answer);
    document.getElementById("photos").prepend(card);
    waiting.push({ file, card, answer });
    total += 1;
  }
  next();
}

function next() {
  while (sending < AT_ONCE && waiting.length) {
    sending += 1;
    send(waiting.shift()).finally(() => {
      sending -= 1;
      done += 1;
      next();
    });
  }
  if (total) state.textContent = `${done} of ${total} answered.`;
}

async function send({ file, card, answer }) {
  try {
    await ready;
    const found = await ask(file);
    (found.boxes ? showBoxes : show)(found, card, answer);
  } catch (error) {
    answer.textContent = error.message;
    answer.className = "error";
  }
}

async function ask(file) {
  const path = model.task === "detection" ? "detect" : "classify";
  if (file.size > model.max_bytes) {
    throw new Error(`The file is larger than ${model.max_bytes / 1e6} MB.`);
  }
  const body = new FormData();
  body.append("image", file);
  for (let tries = 1; ; tries += 1) {
    let response;
    try {
      response = await fetch(path, { method: "POST", body });
    } catch {
      throw new Error("The server does not answer.");
    }
    if (response.status === 503 && tries < TRIES) {
      const seconds = Number(response.headers.get("Retry-After")) || 1;
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
      continue;
    }
    const found = await response.json();
    if (!response.ok) throw new Error(`Not answered: ${found.error}`);
    return found.images[0];
  }
}

function show({ labels, top, unsure, unlike }, card, answer) {
  answer.textContent = labels.join(", ") || "no label";
  answer.className = "answer";
  const remarks = [];
  if (unsure) remarks.push("unsure: another class is nearly as probable");
  if (unlike) remarks.push("unlike the photos that this was trained on");
  if (remarks.length) card.append(element("p", remarks.join("; "), "unsure"));
  const list = element("ol");
  list.setAttribute("aria-label", "Most probable classes");
  for (const { label, probability } of top) {
    const row = element("li", "", labels.includes(label) ? "is-answer" : "");
    const share = `${(100 * probability).toFixed(1)} %`;
    const bar = element("div", "", "bar");
    bar.setAttribute("aria-hidden", "true"); // the number says the same
    const fill = element("div");
    fill.style.width = `${100 * probability}%`;
    bar.append(fill);
    row.append(element("span", label), element("span", share, "share"), bar);
    list.append(row);
  }
  card.append(list);
}

const COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#d55e00", "#cc79a7"];

function showBoxes({ width, height, boxes }, card, answer) {
  const names = boxes.map(({ label }) => label);
  answer.textContent = names.join(", ") || "nothing found";
  answer.className = "answer";
  const image = card.querySelector("img");
  if (!image) return; // the browser cannot show it
  const drawing = drawn("svg", { viewBox: `0 0 ${width} ${height}` });
  drawing.setAttribute("aria-label", "Boxes of what was found");
  for (const { label, score, box, mask } of [...boxes].reverse()) { // the best on top
    const [x1, y1, x2, y2] = box;
    const stroke = COLOURS[model.class_names.indexOf(label) % COLOURS.length];
    if (mask) drawing.append(drawn("path", { d: columns(mask), fill: stroke }));
    const place = { x: x1, y: y1, width: x2 - x1, height: y2 - y1, stroke };
    const text = drawn("text", { x: x1, y: y1, fill: stroke });
    text.style.fontSize = `${Math.max(width, height) / 22}px`;
    text.textContent = `${label} ${score.toFixed(2)}`;
    const frame = drawn("rect", place);
    const title = drawn("title");
    title.textContent = text.textContent;
    frame.append(title);
    drawing.append(frame, text);
  }
  const figure = element("div", "", "figure");
  image.replaceWith(figure);
  figure.append(image, drawing);
}

// What a mask covers, a strip of a pixel's width for each part of a column.
function columns({ size: [height], counts }) {
  const strips = [];
  let place = 0; // down the columns, one after the other
  runs(counts).forEach((length, number) => {
    const end = place + length;
    while (number % 2 && place < end) {
      const y = place % height;
      const long = Math.min(end - place, height - y);
      strips.push(`M${(place - y) / height} ${y}h1v${long}h-1z`);
      place += long;
    }
    place = end;
  });
  return strips.join("");
}

// Lengths of runs of zeros and ones in turn, of COCO's packed text: five bits a letter,
// from the fourth on what a length is more than the one before the last.
function runs(counts) {
  const lengths = [];
  let [value, shift] = [0, 0];
  for (const letter of counts) {
    const bits = letter.charCodeAt(0) - 48;
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    if (bits & 16) value |= -1 << shift;
    lengths.push(value + (lengths.length > 2 ? lengths[lengths.length - 2] : 0));
    [value, shift] = [0, 0];
  }
  return lengths;
}

function drawn(tag, values = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(values)) made.setAttribute(name, value);
  return made;
}

document.getElementById("files").addEventListener("change", (event) => {
  add([...event.target.files]);
  event.target.value = ""; // the same photo may be chosen again
});
for (const kind of ["dragover", "drop", "dragleave"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") add([...event.dataTransfer.files]);
  });
}
